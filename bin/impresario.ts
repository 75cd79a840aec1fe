// What does `cdk deploy -c stage=dev|staging|prod --all` deploy?
import { App } from 'aws-cdk-lib/core';
import { addStacks } from '../lib/aws/app.ts';
import type { StageOverrides } from '../lib/aws/stages.ts';

const app = new App();
const overrides = Object.fromEntries(
  ['jwtIssuer', 'jwtAudience', 'operationsEmail'].flatMap((name) => {
    const value: unknown = app.node.tryGetContext(name);
    return typeof value === 'string' ? [[name, value]] : [];
  }),
) as StageOverrides;

try {
  await addStacks(app, { stage: app.node.tryGetContext('stage'), overrides });
  app.synth();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
