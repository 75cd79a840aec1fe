import { describe, expect, it } from 'vitest';
import { restCall } from '../../../lib/local/wire/rest.ts';

const request = (method: string, url: string, body = '', headers = {}) => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  return restCall({ method, path: pathname, query: searchParams, headers, body: Buffer.from(body) });
};

describe('restCall', () => {
  it.each([
    ['GET', '/schedules?ScheduleGroup=g&MaxResults=5', 'ListSchedules', { GroupName: 'g', MaxResults: 5 }],
    ['GET', '/schedules/a%2Fb?groupName=g', 'GetSchedule', { Name: 'a/b', GroupName: 'g' }],
    ['DELETE', '/schedule-groups/g', 'DeleteScheduleGroup', { Name: 'g' }],
    ['GET', '/2015-03-31/functions/', 'ListFunctions', {}],
    ['GET', '/2015-03-31/functions/F/configuration', 'GetFunctionConfiguration', { FunctionName: 'F' }],
  ])('%s %s', (method, url, operation, input) => {
    expect(request(method, url)).toMatchObject({ operation, input });
  });

  it('joins the path’s name to the body', () => {
    const body = JSON.stringify({ GroupName: 'g', ScheduleExpression: 'rate(1 day)' });
    expect(request('POST', '/schedules/daily', body)).toMatchObject({
      service: 'scheduler',
      operation: 'CreateSchedule',
      input: { Name: 'daily', GroupName: 'g', ScheduleExpression: 'rate(1 day)' },
    });
  });

  it('invokes a function with the raw payload and tells of its error in a header', () => {
    const call = request('POST', '/2015-03-31/functions/F/invocations', '{"a":1}', {
      'x-amz-invocation-type': 'Event',
    });
    expect(call?.input).toEqual({
      FunctionName: 'F',
      InvocationType: 'Event',
      Payload: Buffer.from('{"a":1}'),
    });
    const answer = call?.respond?.({
      StatusCode: 200,
      FunctionError: 'Unhandled',
      Payload: Buffer.from('x'),
    });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-amz-function-error': 'Unhandled' } });
  });

  it('knows no other paths', () => {
    expect(request('GET', '/other')).toBeUndefined();
    expect(request('PATCH', '/schedules/a')).toBeUndefined();
  });
});
