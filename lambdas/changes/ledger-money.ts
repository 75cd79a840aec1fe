// How much money has a run, or a day, set in motion?
import { sha256 } from '../runtime/canonical.ts';
import type { Ledger, Reservation } from './ledger.ts';

/** What this change holds of the run's money, or of this day's: once, however many leases it had. */
export function moneyOf(changes: readonly Reservation[], changeId: string, day?: string): number {
  return Math.max(
    0,
    ...changes
      .filter((one) => one.changeId === changeId && one.outcome !== 'not-applied')
      .filter((one) => day === undefined || one.day === day)
      .map(({ movesMinor }) => movesMinor),
  );
}

/** The sums of money follow what became of this reservation's change. */
export function withMoney(
  ledger: Ledger,
  before: readonly Reservation[],
  { changeId, origin }: Reservation,
): Ledger {
  const { day, dayMinor, byOrigin } = ledger.moved;
  const more = (of?: string) => moneyOf(ledger.changes, changeId, of) - moneyOf(before, changeId, of);
  const moreOfRun = more();
  if (moreOfRun === 0 && more(day) === 0) return ledger;
  const runs = new Map(Object.entries(byOrigin));
  const left = (runs.get(origin) ?? 0) + moreOfRun;
  runs.delete(origin);
  if (left > 0) runs.set(origin, left);
  return {
    ...ledger,
    moved: {
      ...ledger.moved,
      dayMinor: dayMinor + more(day),
      byOrigin: Object.fromEntries(runs),
    },
  };
}

/** Short, whatever the origin is called. */
export function originKey(originId: string): string {
  return `o${sha256(originId).slice(0, 16)}`;
}
