import { describe, expect, it } from 'vitest';
import { createIam } from '../../lib/local/iam.ts';
import type { Json, Principal } from '../../lib/local/types.ts';

const ROLE = 'arn:aws:iam::000000000000:role/Worker';
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:work';
const worker: Principal = { kind: 'role', roleArn: ROLE };
const trust = (service: string) => ({
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
});

function withPolicy(...statements: Json[]) {
  const iam = createIam();
  iam.putRole(ROLE, trust('lambda.amazonaws.com'));
  iam.putRolePolicy(ROLE, 'inline', { Statement: statements });
  return iam;
}
const send = { action: 'sqs:SendMessage', resource: QUEUE };

describe('identity policies', () => {
  it('allow what they name and nothing else, in the words of AWS', () => {
    const iam = withPolicy({ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE });
    expect(() => iam.authorize(worker, send, 'Publish')).not.toThrow();
    expect(() => iam.authorize(worker, { ...send, action: 'sqs:DeleteMessage' }, 'Publish')).toThrow(
      'User: arn:aws:sts::000000000000:assumed-role/Worker/Publish is not authorized to perform: sqs:DeleteMessage ' +
        `on resource: ${QUEUE} because no identity-based policy allows the sqs:DeleteMessage action`,
    );
    expect(() => iam.authorize(worker, { ...send, resource: `${QUEUE}-2` })).toThrow('not authorized');
  });

  it('read * and ? in actions (case-blind) and resources (case-sensitive)', () => {
    const iam = withPolicy(
      { Effect: 'Allow', Action: 'SQS:send*', Resource: 'arn:aws:sqs:*:000000000000:wor?' },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::media/*/sources/*' },
    );
    expect(() => iam.authorize(worker, send)).not.toThrow();
    expect(() => iam.authorize(worker, { ...send, resource: QUEUE.replace('work', 'WORK') })).toThrow();
    const object = (key: string) => ({ action: 's3:GetObject', resource: `arn:aws:s3:::media/${key}` });
    expect(() => iam.authorize(worker, object('acme/sources/a.b'))).not.toThrow();
    expect(() => iam.authorize(worker, object('acme/renders/sources'))).toThrow();
  });

  it('lose to an explicit Deny, also one that arrives after a request was allowed', () => {
    const iam = withPolicy({ Effect: 'Allow', Action: 'sqs:*', Resource: '*' });
    iam.authorize(worker, send);
    iam.putRolePolicy(ROLE, 'deny', {
      Statement: { Effect: 'Deny', Action: 'sqs:SendMessage', Resource: QUEUE },
    });
    expect(() => iam.authorize(worker, send)).toThrow('explicit deny in an identity-based policy');
  });

  it('hold conditions against the request', () => {
    const iam = withPolicy({
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: '*',
      Condition: { StringEquals: { 'events:source': ['creative', 'budget'] } },
    });
    const put = { action: 'events:PutEvents', resource: 'arn:aws:events:us-east-1:000000000000:event-bus/b' };
    expect(() => iam.authorize(worker, { ...put, conditions: { 'events:source': 'budget' } })).not.toThrow();
    expect(() => iam.authorize(worker, { ...put, conditions: { 'events:source': 'other' } })).toThrow();
    expect(() => iam.authorize(worker, put)).toThrow();
  });

  it.each([
    [{ NotAction: 'sqs:*', Resource: '*' }, 'NotAction is not supported'],
    [{ Action: 's3:*', NotResource: 'x' }, 'NotResource is not supported'],
    [{ Action: 's3:*', Resource: 'arn:aws:s3:::${aws:username}' }, 'policy variables'],
    [{ Action: 's3:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '1.1.1.1' } } }, 'IpAddress'],
    [{ Action: 's3:*', Resource: '*', Condition: { StringLike: { 'aws:Weird': 'x' } } }, 'aws:Weird'],
  ])('are refused when not understood: %j', (statement, message) => {
    expect(() => withPolicy({ Effect: 'Deny', ...statement })).toThrow(message);
  });
});

describe('resource policies', () => {
  const rule = 'arn:aws:events:us-east-1:000000000000:rule/bus/r';
  const events: Principal = { kind: 'service', service: 'events.amazonaws.com', sourceArn: rule };
  const allowRule = (source: string) => ({
    Statement: {
      Effect: 'Allow',
      Action: 'sqs:SendMessage',
      Resource: QUEUE,
      Principal: { Service: 'events.amazonaws.com' },
      Condition: { ArnEquals: { 'aws:SourceArn': source } },
    },
  });

  it('are the only way in for a service, from the source they name', () => {
    const iam = createIam();
    expect(() => iam.authorize(events, send)).toThrow('no resource-based policy allows');
    iam.putResourcePolicy(QUEUE, 'p', allowRule(rule));
    expect(() => iam.authorize(events, send)).not.toThrow();
    expect(() => iam.authorize({ ...events, sourceArn: `${rule}2` }, send)).toThrow();
  });

  it('let a role in that they name, but naming the account leaves it to the role', () => {
    const iam = withPolicy();
    const allow = (aws: string) => ({
      Statement: { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE, Principal: { AWS: aws } },
    });
    iam.putResourcePolicy(QUEUE, 'p', allow('arn:aws:iam::000000000000:root'));
    expect(() => iam.authorize(worker, send)).toThrow();
    iam.putResourcePolicy(QUEUE, 'p', allow(ROLE));
    expect(() => iam.authorize(worker, send)).not.toThrow();
  });

  it('deny plain HTTP only: loopback counts as TLS', () => {
    const iam = withPolicy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
    const request = { action: 's3:GetObject', resource: 'arn:aws:s3:::media/a' };
    const deny = (condition: Json) => ({
      Statement: {
        Effect: 'Deny',
        Action: 's3:*',
        Resource: ['arn:aws:s3:::media/*'],
        Principal: '*',
        ...condition,
      },
    });
    iam.putResourcePolicy(
      'arn:aws:s3:::media',
      'p',
      deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
    expect(() => iam.authorize(worker, request)).not.toThrow();
    iam.putResourcePolicy('arn:aws:s3:::media', 'p', deny({}));
    expect(() => iam.authorize(worker, request)).toThrow(
      expect.objectContaining({ code: 'AccessDenied', status: 403 }),
    );
  });
});

it('a role serves the services its trust policy names', () => {
  const iam = withPolicy();
  expect(iam.assumableBy(ROLE, 'lambda.amazonaws.com')).toBe(true);
  expect(iam.assumableBy(ROLE, 'states.amazonaws.com')).toBe(false);
});

it('tells which granted pairs were needed', () => {
  const iam = withPolicy({
    Effect: 'Allow',
    Action: ['sqs:SendMessage', 'sqs:DeleteMessage'],
    Resource: QUEUE,
  });
  iam.authorize(worker, send);
  expect(iam.usedGrants()).toEqual([
    { roleArn: ROLE, ...send, statement: { action: 'sqs:SendMessage', resource: QUEUE } },
  ]);
  expect(iam.grantedPairs().map(({ action, used }) => [action, used])).toEqual([
    ['sqs:SendMessage', true],
    ['sqs:DeleteMessage', false],
  ]);
});

it('the administrator needs no policy', () => {
  expect(() => createIam().authorize({ kind: 'administrator' }, send)).not.toThrow();
});
