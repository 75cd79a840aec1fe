import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../lib/local/types.ts';
import { asFailure, covers, fromAws } from '../../../lib/local/states/failure.ts';

describe('a rule covers', () => {
  it.each<[string, string, boolean]>([
    ['Refused', 'Refused', true],
    ['Refused', 'Unavailable', false],
    ['States.ALL', 'Refused', true],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.QueryEvaluationError', true],
    ['States.ALL', 'States.DataLimitExceeded', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', false],
    ['States.ALL', 'States.Runtime', false],
    ['States.TaskFailed', 'Lambda.Unknown', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.TaskFailed', 'States.HeartbeatTimeout', false],
    ['States.TaskFailed', 'States.Runtime', false],
    ['States.Timeout', 'States.HeartbeatTimeout', true],
    ['States.HeartbeatTimeout', 'States.Timeout', false],
  ])('%s: %s? %s', (rule, error, covered) => {
    expect(covers(['Other', rule], error)).toBe(covered);
  });
});

describe('failures', () => {
  it('of services carry the exception name of the SDK', () => {
    expect(fromAws('SQS', new AwsError('QueueDoesNotExist', 'gone')).error).toBe(
      'SQS.QueueDoesNotExistException',
    );
    expect(fromAws('Lambda', new AwsError('ServiceException', 'oops', 500)).error).toBe(
      'Lambda.ServiceException',
    );
  });

  it('nobody named are States.Runtime and keep what was thrown', () => {
    const thrown = new TypeError('bug');
    expect(asFailure(thrown)).toMatchObject({
      error: 'States.Runtime',
      explanation: 'TypeError: bug',
      cause: thrown,
    });
  });
});
