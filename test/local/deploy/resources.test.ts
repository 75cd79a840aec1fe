import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createCloud } from '../../../lib/local/cloud.ts';
import type { Cloud } from '../../../lib/local/cloud.ts';
import { plainTemplates } from '../../../lib/local/deploy/assembly.ts';
import type { Json, Principal } from '../../../lib/local/types.ts';

const START = Date.UTC(2026, 0, 5);
let cloud: Cloud | undefined;
afterEach(() => cloud?.close());

/** Deploys one stack named `s`. */
async function deployed(
  Resources: Record<string, Json>,
  assets: Record<string, string> = {},
): Promise<Cloud> {
  cloud = await createCloud({ time: 'virtual', startAt: START, seed: 1 });
  await cloud.deploy(plainTemplates({ s: { Resources } }, assets));
  return cloud;
}
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const trust = (service: string) => ({
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
});
const role = (service: string, more: Json = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: `${service}-role`,
    AssumeRolePolicyDocument: trust(`${service}.amazonaws.com`),
    ...more,
  },
});
const roleArn = (service: string) => `arn:aws:iam::000000000000:role/${service}-role`;
const allow = (Action: string, Resource: Json, more: Json = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

describe('tables', () => {
  const table = (more: Json = {}) => ({
    Type: 'AWS::DynamoDB::GlobalTable',
    Properties: {
      TableName: 'things',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      Replicas: [{ Region: 'us-east-1', PointInTimeRecoverySpecification: {}, Tags: [] }],
      ...more,
    },
  });

  it('have their stream and time to live', async () => {
    const { call } = await deployed({
      T: table({
        StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    });
    const { Table } = await call('dynamodb', 'DescribeTable', { TableName: 'things' });
    expect(Table.StreamSpecification).toMatchObject({ StreamViewType: 'NEW_IMAGE' });
    const ttl = await call('dynamodb', 'DescribeTimeToLive', { TableName: 'things' });
    expect(ttl.TimeToLiveDescription).toMatchObject({ AttributeName: 'expiresAt' });
  });

  it.each([
    [{ BillingMode: 'PROVISIONED' }, 'BillingMode PROVISIONED is not supported'],
    [{ Replicas: [{ Region: 'eu-west-1' }] }, 'Replicas other than one in us-east-1'],
    [{ Replicas: [{ Region: 'us-east-1', ResourcePolicy: {} }] }, 'property Replicas.ResourcePolicy'],
  ])('are refused with %j', async (more, message) => {
    await expect(deployed({ T: table(more) })).rejects.toThrow(message);
  });
});

it('queues get their attributes and dead letters', async () => {
  const { call, endpoint } = await deployed({
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead.fifo', FifoQueue: true } },
    Work: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        FifoQueue: true,
        QueueName: 'work.fifo',
        ContentBasedDeduplication: true,
        VisibilityTimeout: 90,
        RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: 3 },
      },
    },
  });
  const QueueUrl = `${endpoint}/000000000000/work.fifo`;
  const { Attributes } = await call('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] });
  expect(Attributes).toMatchObject({ VisibilityTimeout: '90', ContentBasedDeduplication: 'true' });
  expect(JSON.parse(Attributes.RedrivePolicy)).toMatchObject({ maxReceiveCount: 3 });
});

describe('lifecycle rules of buckets', () => {
  const bucket = (...Rules: Json[]) => ({
    Type: 'AWS::S3::Bucket',
    Properties: { BucketName: 'media', LifecycleConfiguration: { Rules } },
  });
  const uploads = { Prefix: 'uploads/', ExpirationInDays: 30, Status: 'Enabled' };
  const keys = async (): Promise<string[]> => {
    const { Contents = [] } = await cloud!.call('s3', 'ListObjectsV2', { Bucket: 'media' });
    return Contents.map(({ Key }: Json) => Key);
  };
  const dayMs = 86_400_000;

  it('take away what is below their prefix at the midnight after its time, and nothing else', async () => {
    const { call, clock } = await deployed({ Media: bucket({ Id: 'r', ...uploads }) });
    const put = (Key: string) => call('s3', 'PutObject', { Bucket: 'media', Key, Body: 'x' });
    await clock.advance(dayMs / 2);
    await put('uploads/old');
    await put('acme/uploads/x');
    await clock.advance(dayMs);
    await put('uploads/new');
    await clock.advance(29.4 * dayMs);
    // Thirty days are over, the midnight after them is not.
    expect(await keys()).toContain('uploads/old');
    await clock.advance(0.2 * dayMs);
    expect(await keys()).toEqual(['acme/uploads/x', 'uploads/new']);
    await clock.advance(dayMs);
    expect(await keys()).toEqual(['acme/uploads/x']);
  });

  it('give up multipart uploads that nobody completes', async () => {
    const { call, clock } = await deployed({
      Media: bucket({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
    });
    const target = { Bucket: 'media', Key: 'a' };
    const { UploadId } = await call('s3', 'CreateMultipartUpload', target);
    const parts = () => call('s3', 'ListParts', { ...target, UploadId });
    await clock.advance(dayMs - 1);
    expect(await parts()).toMatchObject({ Parts: [] });
    await clock.advance(1);
    await expect(parts()).rejects.toMatchObject({ code: 'NoSuchUpload' });
  });

  it('do nothing when they are disabled, and are refused with what is not carried out', async () => {
    const { call, clock } = await deployed({ Media: bucket({ ...uploads, Status: 'Disabled' }) });
    await call('s3', 'PutObject', { Bucket: 'media', Key: 'uploads/old', Body: 'x' });
    await clock.advance(40 * dayMs);
    expect(await keys()).toEqual(['uploads/old']);
    await cloud!.close();
    await expect(deployed({ Media: bucket({ ...uploads, TagFilters: [] }) })).rejects.toThrow('TagFilters');
  });
});

it('buckets tell the default bus, and their policy binds roles', async () => {
  const running = await deployed({
    Role: role('lambda', {
      Policies: [{ PolicyName: 'p', PolicyDocument: { Statement: allow('s3:*', '*') } }],
    }),
    Media: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'media',
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    },
    Policy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'Media' },
        PolicyDocument: {
          Statement: {
            Effect: 'Deny',
            Action: 's3:DeleteObject',
            Principal: { AWS: '*' },
            Resource: { 'Fn::Sub': '${Media.Arn}/*' },
          },
        },
      },
    },
  });
  await running.call('s3', 'PutObject', { Bucket: 'media', Key: 'a', Body: 'x' });
  await running.settle();
  expect(running.events.sent('default')).toMatchObject([
    { source: 'aws.s3', detail: { object: { key: 'a' } } },
  ]);
  const principal: Principal = { kind: 'role', roleArn: roleArn('lambda') };
  const may = (action: string) => () =>
    running.iam.authorize(principal, { action, resource: 'arn:aws:s3:::media/a' });
  expect(may('s3:GetObject')).not.toThrow();
  expect(may('s3:DeleteObject')).toThrow('explicit deny in a resource-based policy');
});

it('schedules fire as their role, in their group', async () => {
  const running = await deployed({
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'ticks' } },
    Role: role('scheduler', {
      Policies: [{ PolicyName: 'p', PolicyDocument: { Statement: allow('sqs:SendMessage', arn('Queue')) } }],
    }),
    Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'group' } },
    Schedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        Name: 'hourly',
        GroupName: { Ref: 'Group' },
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: arn('Queue'), RoleArn: arn('Role'), Input: '{"tick":true}' },
      },
    },
  });
  await running.advance(2 * 3_600_000);
  expect(running.sqs.depth('ticks').visible).toBeGreaterThanOrEqual(2);
  expect(running.grantedPairs()).toMatchObject([{ action: 'sqs:SendMessage', used: true }]);
});

it('rules of a bus reach the queue that lets them in, and no other', async () => {
  const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
  const running = await deployed({
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'own' } },
    Open: queue('open'),
    Shut: queue('shut'),
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: 'all',
        EventBusName: { Ref: 'Bus' },
        EventPattern: { source: ['test'] },
        Targets: [
          { Id: 'open', Arn: arn('Open') },
          { Id: 'shut', Arn: arn('Shut') },
        ],
      },
    },
    Policy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Open' }],
        PolicyDocument: {
          Statement: allow('sqs:SendMessage', arn('Open'), {
            Principal: { Service: 'events.amazonaws.com' },
            Condition: { ArnEquals: { 'aws:SourceArn': arn('Rule') } },
          }),
        },
      },
    },
  });
  await running.call('events', 'PutEvents', {
    Entries: [{ EventBusName: 'own', Source: 'test', DetailType: 'x', Detail: '{}' }],
  });
  await running.settle();
  expect(running.sqs.depth('open')).toMatchObject({ visible: 1 });
  expect(running.sqs.depth('shut')).toMatchObject({ visible: 0 });
});

it('policies reach the roles they name, inline, attached or managed', async () => {
  const running = await deployed({
    Managed: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: { Statement: allow('sqs:ReceiveMessage', '*') } },
    },
    Role: role('lambda', {
      ManagedPolicyArns: [
        { Ref: 'Managed' },
        { 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' },
      ],
    }),
    Attached: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'attached',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: { Statement: allow('sqs:SendMessage', '*') },
      },
    },
  });
  expect(running.grantedPairs().map(({ action }) => action)).toEqual([
    'sqs:ReceiveMessage',
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    'sqs:SendMessage',
  ]);
});

it('functions carry their layers, limits and key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'layer-'));
  const running = await deployed(
    {
      Role: role('lambda'),
      Layer: {
        Type: 'AWS::Lambda::LayerVersion',
        Properties: { Content: { S3Bucket: 'a', S3Key: 'layer.zip' } },
      },
      F: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: 'f',
          Code: { S3Bucket: 'a', S3Key: 'layer.zip' },
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          Role: arn('Role'),
          Layers: [{ Ref: 'Layer' }],
          Timeout: 7,
          ReservedConcurrentExecutions: 2,
        },
      },
      Config: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: { FunctionName: { Ref: 'F' }, Qualifier: '$LATEST', MaximumRetryAttempts: 0 },
      },
    },
    { 'layer.zip': folder },
  );
  expect(running.lambda.record('f')).toMatchObject({
    layerDirs: [folder],
    timeoutSeconds: 7,
    reservedConcurrency: 2,
    asynchronous: { maximumRetryAttempts: 0 },
    environment: { AWS_ACCESS_KEY_ID: running.iam.accessKey(roleArn('lambda')) },
  });
});

it('topics take what is published by those they let in', async () => {
  const running = await deployed({
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'operations' } },
    Policy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [{ Ref: 'Topic' }],
        PolicyDocument: {
          Statement: allow(
            'sns:Publish',
            { Ref: 'Topic' },
            { Principal: { Service: 'events.amazonaws.com' } },
          ),
        },
      },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['test'] }, Targets: [{ Id: 't', Arn: { Ref: 'Topic' } }] },
    },
  });
  await running.call('events', 'PutEvents', {
    Entries: [{ Source: 'test', DetailType: 'x', Detail: '{"a":1}' }],
  });
  await running.settle();
  expect(running.topics.published().map(({ message }) => JSON.parse(message).detail)).toEqual([{ a: 1 }]);
});

it('secrets and parameters are there to be read, generated ones with the template around them', async () => {
  const { call } = await deployed({
    Given: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'given', SecretString: 'hush' } },
    Made: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: 'made',
        GenerateSecretString: {
          SecretStringTemplate: '{"user":"me"}',
          GenerateStringKey: 'password',
          PasswordLength: 20,
          ExcludeCharacters: 'abc',
        },
      },
    },
    Parameter: {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/a/b', Type: 'String', Value: { Ref: 'AWS::Region' } },
    },
  });
  const secret = (SecretId: string) => call('secretsmanager', 'GetSecretValue', { SecretId });
  expect(await secret('given')).toMatchObject({ SecretString: 'hush' });
  const made = JSON.parse((await secret('made')).SecretString);
  expect(made.user).toBe('me');
  expect(made.password).toMatch(/^[^abc]{20}$/);
  expect(await call('ssm', 'GetParameter', { Name: '/a/b' })).toMatchObject({
    Parameter: { Value: 'us-east-1' },
  });
});

describe('event source mappings', () => {
  const resources = (granted: string[]): Record<string, Json> => ({
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: 'work',
        RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: 2 },
      },
    },
    Role: role('lambda', {
      Policies: [
        { PolicyName: 'p', PolicyDocument: { Statement: allow('sqs:x', '*', { Action: granted }) } },
      ],
    }),
    F: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'f',
        Code: { S3Bucket: 'a', S3Key: 'code.zip' },
        Handler: 'index.receive',
        Runtime: 'nodejs24.x',
        Role: arn('Role'),
      },
    },
    Source: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'F' },
        EventSourceArn: arn('Queue'),
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  });
  const code = { 'code.zip': fileURLToPath(new URL('../fixtures/greeter', import.meta.url)) };

  it('feed a queue to its function; what fails alone ends in the dead letters', async () => {
    const running = await deployed(
      resources(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']),
      code,
    );
    const QueueUrl = `${running.endpoint}/000000000000/work`;
    for (const MessageBody of ['ok', 'fail'])
      await running.call('sqs', 'SendMessage', { QueueUrl, MessageBody });
    await running.settle();
    expect(running.sqs.depth('work')).toMatchObject({ visible: 0, inFlight: 0 });
    expect(running.sqs.depth('dead')).toMatchObject({ visible: 1 });
  });

  it('are refused when the function’s role may not read the queue', async () => {
    await expect(deployed(resources(['sqs:SendMessage']), code)).rejects.toThrow(
      /cannot deploy s\/Source: AWS::Lambda::EventSourceMapping Cannot access queue .* not authorized/,
    );
  });
});
