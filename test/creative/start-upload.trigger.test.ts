// Does an upload start the run that waits for it, once, and nothing else?
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRun, runIdOf } from '../../lambdas/creative/start-run.ts';
import { trigger } from '../../lambdas/creative/start-upload.trigger.ts';
import { openSettings } from '../../lambdas/runtime/settings.ts';
import { tableNeed } from '../../lambdas/runtime/table.ts';
import { BRIEF } from '../support/creative-run.ts';
import { useEntryRig } from '../support/entry-rig.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';

const rig = useEntryRig();
let output: OutputLines;
beforeEach(() => (output = captureOutput()));
afterEach(() => output.stop());

const SIZE = 12;
let asked = 0;

async function waiting(): Promise<{ tenant: string; runId: string; key: string }> {
  asked += 1;
  const tenant = await rig.tenant();
  const runId = runIdOf('test', asked);
  const key = `uploads/${tenant}/${runId}`;
  const announced = { sizeBytes: SIZE, contentType: 'video/mp4', sha256: 'a'.repeat(43) + '=' };
  const request = {
    purpose: 'publish',
    source: { kind: 'upload', key, announced },
    brief: BRIEF,
    sidecars: {},
  } as const;
  const { clock } = rig.plane;
  const settings = openSettings(rig.plane.open(tableNeed('settings', 'read')));
  await openRun({ tenant, runId, request, startedBy: 'test' }, 'awaiting-upload', {
    ...rig,
    settings,
    clock,
  });
  await rig.media.put(key, 'x'.repeat(SIZE));
  return { tenant, runId, key };
}

const arrives = (key: string, size = SIZE) =>
  trigger.run({ detail: { object: { key, size } } }, rig.open(trigger.needs) as never);
const startsOf = async (runId: string) => (await rig.executions()).filter((name) => name.startsWith(runId));

describe('an upload that arrives', () => {
  it('starts its run by name, and a second delivery starts nothing', async () => {
    const { tenant, runId, key } = await waiting();
    expect(await startsOf(runId)).toEqual([]);
    await arrives(key);
    await arrives(key);
    expect(await startsOf(runId)).toEqual([runId]);
    expect(await rig.runs.get(tenant, runId)).toMatchObject({ status: 'running' });
    const { input } = (await rig.plane.cloud.call('states', 'DescribeExecution', {
      executionArn: `${rig.plane.env['STATE_MACHINE_CREATIVE_GENERATION']?.replace(':stateMachine:', ':execution:')}:${runId}`,
    })) as { input: string };
    expect(JSON.parse(input)).toMatchObject({
      run: { id: runId, tenant, attempt: 1 },
      request: { source: { kind: 'upload', key }, purpose: 'publish' },
    });
  });

  it('starts its run on the next delivery when the first died on the way', async () => {
    const { tenant, runId, key } = await waiting();
    const fault = rig.plane.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(arrives(key)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await rig.runs.get(tenant, runId)).toMatchObject({ status: 'running' });
    fault.remove();
    await arrives(key);
    expect(await startsOf(runId)).toEqual([runId]);
  });

  it('of another size fails the run with a sentence and is deleted', async () => {
    const { tenant, runId, key } = await waiting();
    await arrives(key, SIZE - 1);
    expect(await rig.runs.get(tenant, runId)).toMatchObject({
      status: 'failed',
      error: {
        name: 'InvalidInput',
        cause: expect.stringContaining('11 bytes, but 12 were announced') as unknown,
      },
    });
    expect(await rig.media.head(key)).toBeUndefined();
    expect(await startsOf(runId)).toEqual([]);
    expect(output.metrics()).toContainEqual({
      name: 'workflow_executions_total',
      value: 1,
      dimensions: { workflow: 'creative-generation', status: 'failed' },
    });
  });

  it('for an expired run is deleted and starts nothing', async () => {
    const { tenant, runId, key } = await waiting();
    await rig.runs.close(tenant, runId, { status: 'expired', nowMs: rig.plane.clock.now() });
    await arrives(key);
    expect(await rig.media.head(key)).toBeUndefined();
    expect(await startsOf(runId)).toEqual([]);
  });

  it("below another tenant's prefix does not start the run", async () => {
    const { tenant, runId } = await waiting();
    const foreign = `uploads/stranger/${runId}`;
    await rig.media.put(foreign, 'x'.repeat(SIZE));
    await arrives(foreign);
    expect(await rig.runs.get(tenant, runId)).toMatchObject({ status: 'awaiting-upload' });
    expect(await startsOf(runId)).toEqual([]);
    expect(await rig.media.head(foreign)).toBeUndefined();
  });
});
