import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCloud } from '../../../lib/local/cloud.ts';
import type { Cloud } from '../../../lib/local/cloud.ts';
import { greeter } from '../fixtures/greeter-template.ts';

let cloud: Cloud;
let settings: {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
};
beforeAll(async () => {
  cloud = await createCloud({ time: 'virtual', seed: 2 });
  await cloud.deploy(greeter());
  settings = {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'thing' },
    maxAttempts: 1,
  };
});
afterAll(() => cloud.close());

describe('AWS clients', () => {
  it('list, start and read state machines', async () => {
    const client = new SFNClient(settings);
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines?.[0]).toMatchObject({ name: 'greeting', creationDate: expect.any(Date) });
    const stateMachineArn = stateMachines?.[0]?.stateMachineArn;
    const start = new StartExecutionCommand({ stateMachineArn, name: 'by-wire', input: '{"name":"Bo"}' });
    const { executionArn } = await client.send(start);
    await cloud.settle();
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: '{"greeting":"Hello Bo"}' });
    const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events?.at(-1)?.type).toBe('ExecutionSucceeded');
    const missing = new DescribeExecutionCommand({ executionArn: `${executionArn}-no` });
    await expect(client.send(missing)).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });

  it('write and scan tables, and see a failed condition with its item', async () => {
    const client = new DynamoDBClient(settings);
    const TableName = cloud.outputs().get('data')!['TableName'];
    const Item = { pk: { S: 'w' }, sk: { S: 'x' }, bytes: { B: Buffer.from([1, 2]) } };
    const put = new PutItemCommand({
      TableName,
      Item,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await client.send(put);
    await expect(client.send(put)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { pk: { S: 'w' } },
    });
    const { Items } = await client.send(new ScanCommand({ TableName }));
    expect(Items).toContainEqual({ ...Item, bytes: { B: Uint8Array.from([1, 2]) } });
  });

  it('send, wait for and receive messages, and get the queue’s own error', async () => {
    const client = new SQSClient(settings);
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'endings' }));
    const waiting = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
    expect((await waiting).Messages?.[0]?.Body).toBe('hello');
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
    });
  });

  it('put events', async () => {
    const client = new EventBridgeClient(settings);
    const Entries = [{ Source: 'test', DetailType: 'thing', Detail: '{"a":1}' }];
    expect(await client.send(new PutEventsCommand({ Entries }))).toMatchObject({ FailedEntryCount: 0 });
    expect(cloud.events.sent('default')).toContainEqual(expect.objectContaining({ detail: { a: 1 } }));
  });

  it('invoke functions', async () => {
    const client = new LambdaClient(settings);
    const { Functions } = await cloud.call('lambda', 'ListFunctions');
    const invoke = (name: string, payload: unknown) =>
      client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) }));
    const named = (part: string) =>
      Functions.find((f: { FunctionName: string }) => f.FunctionName.includes(part)).FunctionName;
    const answer = await invoke(named('Greet'), { name: 'Cy' });
    expect(answer.Payload?.transformToString()).toBe('{"greeting":"Hello Cy"}');
    expect(await invoke(named('RouteFunction'), {})).toMatchObject({ FunctionError: 'Unhandled' });
  });

  it('see an injected lost reply as a broken connection, after the effect', async () => {
    const client = new SQSClient(settings);
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'endings' }));
    const before = cloud.sqs.depth('endings').visible;
    const fault = cloud.faults.add({
      service: 'sqs',
      operation: 'SendMessage',
      when: 'after',
      effect: { kind: 'lost-reply' },
      times: 1,
    });
    await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toThrow();
    expect(fault.hits).toBe(1);
    expect(cloud.sqs.depth('endings').visible).toBe(before + 1);
  });

  it('are roles when they sign with a function’s key, and nobody without credentials', async () => {
    const roleArn = cloud.grantedPairs().find(({ action }) => action === 'sqs:SendMessage')!.roleArn;
    const credentials = { accessKeyId: cloud.iam.accessKey(roleArn), secretAccessKey: 'local' };
    const client = new SQSClient({ ...settings, credentials });
    const QueueUrl = `${cloud.endpoint}/000000000000/endings`;
    await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toThrow(
      'is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:endings',
    );
    const unsigned = await fetch(`${cloud.endpoint}/bucket/key`);
    expect(unsigned.status).toBe(403);
  });

  it('of an invocation that is over get no answer', async () => {
    const response = fetch(`${cloud.endpoint}/`, {
      method: 'POST',
      headers: {
        'x-impresario-invocation': 'gone',
        'x-amz-target': 'AmazonSQS.ListQueues',
        authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/sqs/aws4_request',
      },
    });
    await expect(response).rejects.toThrow('fetch failed');
  });

  it('ask who they are', async () => {
    const response = await fetch(cloud.endpoint, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/sts/aws4_request' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    expect(await response.text()).toContain('<Account>000000000000</Account>');
  });
});
