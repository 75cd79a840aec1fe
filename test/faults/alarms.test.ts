// Does every alarm on our own metrics watch something that a run which went wrong really emitted?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChanges } from '../../lambdas/changes/changes.ts';
import type { ChangeRequest } from '../../lambdas/changes/change.ts';
import type { FaultHandle } from '../../lib/local/faults.ts';
import type { Json } from '../../lib/local/types.ts';
import { startRig, type Rig } from './rig.ts';

interface Watched {
  alarm: string;
  name: string;
  dimensions: Record<string, string>;
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

/** Every metric of ours behind an alarm, those inside of expressions too. */
function watched(): Watched[] {
  return rig.world.cloud.alarms().flatMap(({ logicalId, properties }) => {
    const inside = (properties.Metrics ?? []).flatMap(({ MetricStat }: Json) =>
      MetricStat === undefined ? [] : [MetricStat.Metric],
    );
    return [properties, ...inside]
      .filter(({ Namespace }: Json) => Namespace === 'Impresario/dev')
      .map((metric: Json) => ({
        alarm: logicalId,
        name: metric.MetricName,
        dimensions: Object.fromEntries(
          (metric.Dimensions ?? []).map(({ Name, Value }: Json) => [Name, Value]),
        ),
      }));
  });
}

/**
 * Four changes, each of an account of its own: the platform refuses one, and the token of another; the tables take no record of
 * the third; the last loses its execution, and the sweep cannot take it back.
 */
async function breakChanges(): Promise<FaultHandle[]> {
  const { cloud, sandbox } = rig.world;
  const changes = openChanges(rig.world.table('changes'));
  const queue = async (): Promise<{ id: string; adSetId: string }> => {
    const { tenant, account } = await rig.subject();
    const adSetId = sandbox.meta.addAdSet(sandbox.meta.addCampaign(account.id), { dailyBudget: 5_000 });
    const nowMs = cloud.clock.now();
    const request: ChangeRequest = {
      accountId: account.id,
      currency: account.currency,
      entity: { kind: 'adset', id: adSetId },
      kind: 'BUDGET_INCREASE',
      from: 5_000,
      to: 5_500,
      reason: 'The numbers say so.',
      origin: { area: 'budget', id: 'alarms', actor: 'test' },
      expiresAt: nowMs + 86_400_000,
    };
    const { change } = await changes.queue({ tenant, request, status: 'PENDING', nowMs });
    return { id: change.id, adSetId };
  };
  const refused = async (failure: 'refuse' | 'expired-token'): Promise<void> => {
    const { adSetId } = await queue();
    const match = { method: 'POST', path: new RegExp(`/${adSetId}$`) };
    sandbox.meta.fail({ match, with: failure, times: 100 });
  };
  await refused('refuse');
  await refused('expired-token');
  const unrecorded = await queue();
  const stuck = await queue();
  const tables = { service: 'dynamodb', when: 'before' } as const;
  const throttled = { kind: 'throttle' } as const;
  // Not repeated by the SDK, which would take an hour's patience.
  const forbidden = { kind: 'error', code: 'AccessDeniedException' } as const;
  const faults = [
    cloud.faults.add({
      ...tables,
      effect: throttled,
      function: 'record-change',
      event: unrecorded.id,
      times: 20,
    }),
    cloud.faults.add({ ...tables, effect: forbidden, function: 'sweep-changes', resource: stuck.id }),
  ];
  const off = cloud.onTransition(({ type, stateName, executionArn }) => {
    if (type !== 'entered' || stateName !== 'Jitter' || !executionArn.includes(stuck.id)) return;
    const input = { executionArn, error: 'Stopped', cause: 'by a test' };
    void cloud.states.call('StopExecution', input, { principal: { kind: 'administrator' } });
    off();
  });
  return faults;
}

const same = (a: Record<string, string>, b: Record<string, string>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => b[key] === value);

describe('alarms', () => {
  it('name metrics and dimensions that a day of failures emitted', async () => {
    const { world } = rig;
    // Undoing fails while the account refuses deletions, and Meta is down until its circuit opens.
    const indebted = await rig.subject();
    rig.break(indebted, { function: 'queue-go-live', invocation: 'error', errorType: 'Refused' });
    const refusing = rig.break(indebted, {
      function: 'undo-publish',
      invocation: 'error',
      errorType: 'Refused',
    });
    await rig.start(indebted);
    await rig.failed(indebted);
    const unreachable = await rig.subject();
    const path = new RegExp(`/act_${unreachable.account.id}`);
    world.sandbox.meta.fail({ match: { path }, with: 'server-error', times: 50 });
    await rig.start(unreachable);
    await rig.ended(unreachable);
    // One run gives up before the circuit does.
    await rig.redrive(unreachable);
    await rig.ended(unreachable);
    const changes = await breakChanges();
    // Sweeps run, and count what is owed and what waits.
    await world.cloud.advance(3_600_000);
    const needed = watched();
    const values = world.cloud.metrics().filter(({ namespace }) => namespace === 'Impresario/dev');
    const missing = needed.filter(
      ({ name, dimensions }) =>
        !values.some((value) => value.name === name && same(value.dimensions, dimensions)),
    );
    expect(needed.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
    // And the values are those of something wrong.
    const highest = (name: string): number =>
      Math.max(...values.filter((value) => value.name === name).map(({ value }) => value));
    expect(highest('job_failures_total')).toBeGreaterThan(0);
    expect(highest('circuit_breaker_state')).toBe(1);
    expect(highest('ad_changes_failed_total')).toBeGreaterThan(0);
    expect(highest('kept_records_total')).toBeGreaterThan(0);
    expect(highest('ad_accounts_stopped_count')).toBeGreaterThan(0);
    expect(highest('oldest_lease_seconds')).toBeGreaterThan(2_400);
    refusing.remove();
    for (const fault of changes) fault.remove();
  }, 120_000);
});
