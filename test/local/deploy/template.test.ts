import { afterEach, describe, expect, it } from 'vitest';
import { createCloud } from '../../../lib/local/cloud.ts';
import type { Cloud } from '../../../lib/local/cloud.ts';
import { plainTemplates } from '../../../lib/local/deploy/assembly.ts';
import type { DeployOptions } from '../../../lib/local/deploy/template.ts';
import type { Json } from '../../../lib/local/types.ts';

let cloud: Cloud | undefined;
afterEach(() => cloud?.close());

async function outputs(template: Json, options?: DeployOptions, prepare?: (cloud: Cloud) => Promise<Json>) {
  cloud = await createCloud({ time: 'virtual' });
  await prepare?.(cloud);
  await cloud.deploy(plainTemplates({ s: { Resources: {}, ...template } }), options);
  return cloud.outputs().get('s');
}

describe('parameters', () => {
  const template = {
    Parameters: {
      Size: { Type: 'Number', Default: '3' },
      Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
      Version: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      Stored: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/stored' },
    },
    Outputs: {
      Size: { Value: { Ref: 'Size' } },
      Zone: { Value: { 'Fn::Select': [1, { Ref: 'Zones' }] } },
      Version: { Value: { Ref: 'Version' } },
      Stored: { Value: { Ref: 'Stored' } },
    },
  };
  const store = (running: Cloud) =>
    running.call('ssm', 'PutParameter', { Name: '/stored', Type: 'String', Value: 'kept' });

  it('come from outside, from their default or from the parameter store', async () => {
    const found = await outputs(template, { parameters: { Size: '5' } }, store);
    expect(found).toEqual({ Size: '5', Zone: 'b', Version: '30', Stored: 'kept' });
  });

  it('without a value stop the deployment', async () => {
    await expect(outputs({ Parameters: { Needed: { Type: 'String' } } })).rejects.toThrow(
      'cannot deploy s: parameter Needed has no value',
    );
  });
});

describe('conditions', () => {
  const template = {
    Parameters: { Stage: { Type: 'String', Default: 'dev' } },
    Conditions: {
      Careful: { 'Fn::Not': [{ Condition: 'Dev' }] },
      Dev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
    },
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue', Condition: 'Careful', Properties: { QueueName: 'careful' } },
    },
    Outputs: { Queue: { Condition: 'Careful', Value: { 'Fn::GetAtt': ['Queue', 'QueueName'] } } },
  };

  it('decide which resources and outputs there are, and may use each other', async () => {
    expect(await outputs(template)).toEqual({});
    await cloud?.close();
    expect(await outputs(template, { parameters: { Stage: 'prod' } })).toEqual({ Queue: 'careful' });
    await cloud?.close();
    expect(await outputs(template, { conditions: { Careful: true } })).toEqual({ Queue: 'careful' });
  });
});

it('sections nobody reads are refused', async () => {
  await expect(outputs({ Transform: 'AWS::Serverless-2016-10-31' })).rejects.toThrow(
    'cannot deploy s: template section Transform is not supported',
  );
});
