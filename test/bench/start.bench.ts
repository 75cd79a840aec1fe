// How long does the embedded cloud take from nothing to its first answer, with every function deployed?
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { createCloud } from '../../lib/local/cloud.ts';
import { plainTemplates } from '../../lib/local/deploy/assembly.ts';
import type { Json } from '../../lib/local/types.ts';

const FUNCTIONS = 70;
const RUNS = 5;

/** What `benchStart` measured: medians over the runs. */
export interface StartBench {
  functions: number;
  runs: number;
  /** From `createCloud` until everything is deployed. */
  deployedMs: number;
  /** From `createCloud` until the HTTP API has answered a request through a function loaded for it. */
  answeredMs: number;
  /** The first run alone, before anything was compiled or warm. */
  firstAnsweredMs: number;
}

const trust = {
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
};

function functionWithRole(i: number): Record<string, Json> {
  const policy = {
    Statement: [
      {
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:PutItem'],
        Resource: { 'Fn::GetAtt': ['Table', 'Arn'] },
      },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': [`Queue${i}`, 'Arn'] } },
    ],
  };
  return {
    [`Queue${i}`]: { Type: 'AWS::SQS::Queue' },
    [`Role${i}`]: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: trust,
        Policies: [{ PolicyName: 'own', PolicyDocument: policy }],
      },
    },
    [`Function${i}`]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
        Handler: 'index.answer',
        Runtime: 'nodejs24.x',
        Role: { 'Fn::GetAtt': [`Role${i}`, 'Arn'] },
        Environment: { Variables: { TABLE: { Ref: 'Table' }, QUEUE: { Ref: `Queue${i}` } } },
      },
    },
  };
}

function template(): Json {
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => functionWithRole(i));
  return {
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::GlobalTable',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          Replicas: [{ Region: 'us-east-1' }],
        },
      },
      ...Object.assign({}, ...functions),
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'api', ProtocolType: 'HTTP' } },
      Integration: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: {
          ApiId: { Ref: 'Api' },
          IntegrationType: 'AWS_PROXY',
          IntegrationUri: { 'Fn::GetAtt': ['Function0', 'Arn'] },
          PayloadFormatVersion: '2.0',
        },
      },
      Route: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ApiId: { Ref: 'Api' },
          RouteKey: 'GET /health',
          Target: { 'Fn::Sub': 'integrations/${Integration}' },
        },
      },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: { 'Fn::GetAtt': ['Function0', 'Arn'] },
          Principal: 'apigateway.amazonaws.com',
        },
      },
    },
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Starts, deploys and asks once, several times. @throws Error when the answer is not the function's */
export async function benchStart(): Promise<StartBench> {
  const folder = fileURLToPath(new URL('fixtures/answer', import.meta.url));
  const assembly = plainTemplates({ app: template() }, { 'code.zip': folder });
  const deployed: number[] = [];
  const answered: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    const cloud = await createCloud({ time: 'real' });
    try {
      await cloud.deploy(assembly);
      deployed.push(performance.now() - startedAt);
      const response = await fetch(`${cloud.apiUrl}/health`);
      if ((await response.text()) !== '{"ok":true}')
        throw new Error(`The function was not reached: ${response.status}`);
      answered.push(performance.now() - startedAt);
    } finally {
      await cloud.close();
    }
  }
  return {
    functions: FUNCTIONS,
    runs: RUNS,
    deployedMs: median(deployed),
    answeredMs: median(answered),
    firstAnsweredMs: answered[0] ?? NaN,
  };
}
