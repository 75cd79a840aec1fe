import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCloud } from '../../lib/local/cloud.ts';
import type { Cloud, CloudOptions } from '../../lib/local/cloud.ts';
import { createIssuer } from '../../lib/local/issuer.ts';
import type { Json } from '../../lib/local/types.ts';
import { appTemplate, greeter } from './fixtures/greeter-template.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:greeting';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(options: Partial<CloudOptions> = {}): Promise<Cloud> {
  const cloud = await createCloud({ time: 'virtual', startAt: Date.UTC(2026, 0, 5), seed: 1, ...options });
  closing.push(() => cloud.close());
  return cloud;
}

async function run(cloud: Cloud, input: Json): Promise<Json> {
  const { executionArn } = await cloud.call('states', 'StartExecution', {
    stateMachineArn: MACHINE,
    name: 'run-1',
    input: JSON.stringify(input),
  });
  await cloud.settle();
  return cloud.call('states', 'DescribeExecution', { executionArn });
}

describe('a deployed assembly', () => {
  it('runs from the state machine through the function to table and queue', async () => {
    const cloud = await start();
    await cloud.deploy(greeter());
    expect(await run(cloud, { name: 'Ada' })).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"greeting":"Hello Ada"}',
    });
    const { TableName } = cloud.outputs().get('data')!;
    expect(TableName).toMatch(/^data-Table-[A-Z0-9]{12}$/);
    const { Items } = await cloud.call('dynamodb', 'Scan', { TableName });
    expect(Items).toEqual([{ pk: { S: 'Ada' }, sk: { S: 'greeting' } }]);
    expect(cloud.sqs.depth('greetings')).toMatchObject({ visible: 1 });
  });

  it('keeps its alarms readable', async () => {
    const cloud = await start();
    await cloud.deploy(greeter());
    expect(cloud.alarms()).toMatchObject([
      { stack: 'app', logicalId: 'Alarm', properties: { MetricName: 'ApproximateNumberOfMessagesVisible' } },
    ]);
  });

  it('fails with AccessDenied when a grant is missing', async () => {
    const cloud = await start();
    const template = appTemplate();
    const statements = template.Resources['GreetRole'].Properties.Policies[0].PolicyDocument.Statement;
    template.Resources['GreetRole'].Properties.Policies[0].PolicyDocument.Statement = [statements[0]];
    await cloud.deploy(greeter(template));
    const execution = await run(cloud, { name: 'Ada' });
    expect(execution).toMatchObject({ status: 'FAILED' });
    expect(execution.cause).toMatch(
      /assumed-role\/app-GreetRole-[A-Z0-9]{12}\/app-Greet-[A-Z0-9]{12} is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:greetings because no identity-based policy allows the sqs:SendMessage action/,
    );
    expect(cloud.sqs.depth('greetings')).toMatchObject({ visible: 0 });
    expect(cloud.sqs.depth('endings')).toMatchObject({ visible: 1 });
  });

  it('tells which grants were used', async () => {
    const cloud = await start();
    await cloud.deploy(greeter());
    const used = () =>
      cloud
        .grantedPairs()
        .filter((pair) => pair.used)
        .map((pair) => pair.action)
        .toSorted();
    expect(used()).toEqual([]);
    await run(cloud, { name: 'Ada' });
    expect(used()).toEqual(['dynamodb:PutItem', 'lambda:InvokeFunction', 'sqs:SendMessage']);
    expect(cloud.usedGrants()).toHaveLength(3);
  });
});

describe('the HTTP API', () => {
  it('lets a verified token through, with the development issuer in place of the template’s', async () => {
    const now = Date.UTC(2026, 0, 5);
    const issuer = await createIssuer({ now: () => now });
    closing.push(() => issuer.close());
    const cloud = await start({ jwt: issuer });
    expect((await fetch(`${cloud.apiUrl}/v1/me`)).status).toBe(404);
    await cloud.deploy(greeter());
    expect((await fetch(`${cloud.apiUrl}/v1/me`)).status).toBe(401);
    const token = await issuer.sign({ tenant: 'acme', role: 'viewer' });
    const response = await fetch(`${cloud.apiUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(await response.json()).toMatchObject({ 'custom:tenant': 'acme', role: 'viewer' });
  });

  it('needs the permission to invoke', async () => {
    const issuer = await createIssuer({ now: () => Date.UTC(2026, 0, 5) });
    closing.push(() => issuer.close());
    const cloud = await start({ jwt: issuer });
    const template = appTemplate();
    delete template.Resources['Permission'];
    await cloud.deploy(greeter(template));
    const token = await issuer.sign({ tenant: 'acme', role: 'viewer' });
    const response = await fetch(`${cloud.apiUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"message":"Internal Server Error"}');
  });
});

describe('deployment refuses', () => {
  it.each<[string, (resources: Record<string, Json>) => void, string]>([
    [
      'an unknown type',
      (resources) => (resources['Odd'] = { Type: 'AWS::EC2::Instance' }),
      'cannot deploy app/Odd: AWS::EC2::Instance is not supported',
    ],
    [
      'an unknown property',
      ({ Greet }) => (Greet.Properties.VpcConfig = {}),
      'cannot deploy app/Greet: AWS::Lambda::Function property VpcConfig is not supported',
    ],
    [
      'an unsupported intrinsic',
      ({ Greet }) => (Greet.Properties.FunctionName = { 'Fn::Base64': 'x' }),
      'cannot deploy app/Greet: AWS::Lambda::Function the intrinsic function Fn::Base64 is not supported',
    ],
    [
      'a dynamic reference',
      ({ Greet }) => (Greet.Properties.Environment.Variables.KEY = '{{resolve:ssm:x}}'),
      'the dynamic reference {{resolve:ssm:x}} is not supported',
    ],
    [
      'an unbound placeholder',
      ({ Machine }) => delete Machine.Properties.DefinitionSubstitutions,
      'cannot deploy app/Machine: AWS::StepFunctions::StateMachine the placeholder ${Greet} is not bound',
    ],
    [
      'a role its service cannot assume',
      ({ Machine }) => (Machine.Properties.RoleArn = { 'Fn::GetAtt': ['GreetRole', 'Arn'] }),
      'cannot be assumed by states.amazonaws.com',
    ],
    [
      'a circle',
      ({ Greet, Api }) => {
        Greet.DependsOn = 'Api';
        Api.DependsOn = ['Greet'];
      },
      'cannot deploy app: resources form a circle: Greet → Api → Greet',
    ],
    [
      'a missing asset',
      ({ Greet }) => (Greet.Properties.Code.S3Key = 'other.zip'),
      'asset other.zip is not in the assembly',
    ],
  ])('%s', async (_, change, message) => {
    const cloud = await start();
    const template = appTemplate();
    change(template.Resources);
    await expect(cloud.deploy(greeter(template))).rejects.toThrow(message);
  });
});

it('names a port that is taken and how to choose another', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => {
    blocker.listen(0, '127.0.0.1', resolve);
  });
  const { port } = blocker.address() as AddressInfo;
  closing.push(() => new Promise((resolve) => void blocker.close(() => resolve())));
  await expect(start({ awsPort: port })).rejects.toThrow(
    `Port ${port} for the AWS endpoint is already in use. Stop what uses it, or choose another with --aws-port.`,
  );
});
