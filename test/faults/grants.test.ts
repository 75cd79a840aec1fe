// Is every derived grant needed: does the run fail with AccessDenied without it, and are there any that no run uses?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRig, type Rig } from './rig.ts';
import { unusedGrants } from './unused-grants.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

const roleOf = (functionName: string): string => rig.world.cloud.lambda.record(functionName).roleArn;

/** The role's policy without one action; the answer restores it. */
function without(functionName: string, action: string): () => void {
  const { iam } = rig.world.cloud;
  const role = roleOf(functionName);
  const pairs = iam.grantedPairs().filter(({ roleArn }) => roleArn === role);
  const policies = [...new Set(pairs.map(({ policy }) => policy))];
  const put = (keep: (pair: (typeof pairs)[number]) => boolean): void => {
    for (const policy of policies) {
      iam.putRolePolicy(role, policy, {
        Version: '2012-10-17',
        Statement: pairs
          .filter((pair) => pair.policy === policy && keep(pair))
          .map((pair) => ({ Effect: 'Allow', Action: pair.action, Resource: pair.resource })),
      });
    }
  };
  put((pair) => pair.action !== action);
  return () => put(() => true);
}

describe('a derived grant', () => {
  it.each([
    ['impresario-dev-ingest-video', 's3:PutObject'],
    ['impresario-dev-publish-campaign', 'secretsmanager:GetSecretValue'],
    ['impresario-dev-queue-go-live', 'dynamodb:PutItem'],
    ['impresario-dev-record-outcome', 'events:PutEvents'],
  ])('of %s that is missing (%s) fails the run with AccessDenied', async (functionName, action) => {
    const subject = await rig.subject();
    const restore = without(functionName, action);
    await rig.start(subject);
    const { status, error, cause } = await rig.ended(subject);
    restore();
    expect(status).toBe('FAILED');
    expect(`${error} ${cause}`).toContain('AccessDenied');
    expect(`${error} ${cause}`).toContain(action);
    // Put back, the same run goes through.
    await rig.redrive(subject);
    expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
  });
});

describe('the grants that runs never needed', () => {
  it('are told apart from those that they did', async () => {
    const unused = unusedGrants(rig.world);
    const publishing = roleOf('impresario-dev-publish-campaign');
    const granted = rig.world.cloud.grantedPairs().filter(({ roleArn }) => roleArn === publishing);
    expect(granted.length).toBeGreaterThan(0);
    expect(unused.length).toBeLessThan(rig.world.cloud.grantedPairs().length);
    const secret = unused.find(
      ({ roleArn, action }) => roleArn === publishing && action === 'secretsmanager:GetSecretValue',
    );
    expect(secret).toBeUndefined();
  });
});
