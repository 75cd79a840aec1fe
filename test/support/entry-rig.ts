// How does a test knock at the entries of the creative area without running a whole video through it?
import { afterAll, afterEach, beforeAll } from 'vitest';
import { openCreatives, type Creatives } from '../../lambdas/creative/creatives.ts';
import { bucketNeed, type Bucket } from '../../lambdas/runtime/bucket.ts';
import type { Needs } from '../../lambdas/runtime/need.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { Runs } from '../../lambdas/runtime/runs.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import { openSettingsWriter } from '../../lambdas/runtime/settings-writer.ts';
import { tableNeed } from '../../lambdas/runtime/table.ts';
import { driveSecret } from '../../lib/sandbox/drive/drive.ts';
import { startSandbox, type Sandbox } from '../../lib/sandbox/sandbox.ts';
import { startDataPlane, type DataPlane } from '../runtime/data-plane.ts';

export interface EntryRig {
  plane: DataPlane;
  sandbox: Sandbox;
  runs: Runs;
  media: Bucket;
  creatives: Creatives;
  /** A tenant of its own, with an ad account, a Drive and what the test says. */
  tenant(settings?: Record<string, unknown>): Promise<string>;
  /** Names of the executions that were started. */
  executions(): Promise<string[]>;
  /** The needs of a trigger or of routes, open, with the rig's clock. */
  open(needs: Needs): Record<string, unknown>;
}

/** Its state machine waits an hour: an execution stays RUNNING. */
const DEFINITION = {
  QueryLanguage: 'JSONata',
  StartAt: 'Stay',
  States: { Stay: { Type: 'Wait', Seconds: 3600, End: true } },
};

export function useEntryRig(): EntryRig {
  const rig = {} as EntryRig;
  let tenants = 0;
  let arn = '';

  beforeAll(async () => {
    const plane = await startDataPlane({ queues: ['audit-chain.fifo'] });
    rig.plane = plane;
    rig.sandbox = await startSandbox({ now: plane.clock.now, random: () => 0.5 });
    const role = 'arn:aws:iam::000000000000:role/machine';
    const made = (await plane.cloud.call('states', 'CreateStateMachine', {
      name: 'impresario-dev-creative-generation',
      roleArn: role,
      definition: JSON.stringify(DEFINITION),
    })) as { stateMachineArn: string };
    arn = made.stateMachineArn;
    plane.env['STATE_MACHINE_CREATIVE_GENERATION'] = arn;
    Object.assign(plane.env, rig.sandbox.environment());
    rig.runs = plane.open(runsNeed('read', 'write'));
    rig.media = plane.open(bucketNeed([]));
    rig.creatives = openCreatives(plane.open(tableNeed('creatives', 'transact')));
  });
  afterEach(() => {
    rig.plane.cloud.faults.clear();
    rig.sandbox.reset();
  });
  afterAll(async () => {
    await rig.sandbox.close();
    await rig.plane.cloud.close();
  });

  rig.executions = async () => {
    const { executions } = (await rig.plane.cloud.call('states', 'ListExecutions', {
      stateMachineArn: arn,
    })) as { executions: { name: string }[] };
    return executions.map(({ name }) => name);
  };
  rig.open = (needs) => ({
    ...Object.fromEntries(
      Object.entries(needs).map(([name, need]) => [name, rig.plane.open(need) as unknown]),
    ),
    clock: rig.plane.clock,
  });
  rig.tenant = async (settings = {}) => {
    tenants += 1;
    const tenant = `tenant-${tenants}`;
    await rig.plane.cloud.call('secretsmanager', 'CreateSecret', {
      Name: `impresario/tenants/${tenant}/drive`,
      SecretString: JSON.stringify(driveSecret(rig.sandbox.url)),
    });
    const settingsTable = rig.plane.open(tableNeed('settings', 'transact'));
    await openSettingsWriter(settingsTable, rig.plane.open(tableNeed('audit', 'write')).name).save({
      tenant,
      expectedVersion: 0,
      settings: Settings.parse({
        adAccounts: [
          {
            id: String(5_000_000 + tenants),
            currency: 'USD',
            timeZone: 'UTC',
            pageId: '7000000',
            secret: `tenants/${tenant}/meta`,
          },
        ],
        connections: { drive: `tenants/${tenant}/drive` },
        ...settings,
      }),
      actor: 'test',
      nowMs: rig.plane.clock.now(),
    });
    return tenant;
  };
  return rig;
}
