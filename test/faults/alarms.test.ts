// Does every alarm on our own metrics watch something that a run which went wrong really emitted?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    refusing.remove();
  }, 120_000);
});
