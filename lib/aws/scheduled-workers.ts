// Which workers come by the clock, and when is one of them late?
import type { TriggerSpec } from '../../lambdas/runtime/specs.ts';
import type { KnownWorker } from '../../lambdas/runtime/workers.ts';

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** One that was missed may be an accident; its retries take two more. */
const INTERVALS = 4;

/** @throws Error naming a worker whose schedule is no rate and that does not say when it is late. */
export function scheduledWorkers(triggers: readonly Pick<TriggerSpec, 'name' | 'source'>[]): KnownWorker[] {
  return triggers.flatMap(({ name, source }) => {
    if (source.kind !== 'schedule') return [];
    const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(source.expression) ?? [];
    const intervalMs = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
    const lateAfterMs =
      source.lateAfterMinutes === undefined ? INTERVALS * intervalMs : source.lateAfterMinutes * 60_000;
    if (Number.isNaN(lateAfterMs))
      throw new Error(`${name} comes by ${source.expression}: its source must say lateAfterMinutes.`);
    return [{ worker: name, lateAfterMs }];
  });
}
