// What do all others have to know when the platform refused one of us?
import { throttleOf } from '../ports/ads/refusals.ts';
import { busNeed, type Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Change } from './change.ts';
import { killSwitchesNeed, type KillSwitches } from './kill-switches.ts';
import { observe } from './ledger.ts';
import { ledgersNeed, type Ledgers } from './ledgers.ts';
import type { Verdict } from './verdict.ts';

export const heedNeeds = {
  bus: busNeed,
  switches: killSwitchesNeed('PutItem'),
  ledgers: ledgersNeed('GetItem', 'PutItem'),
};

/** Who turned the account's switch on; a person turns it off once the account is connected again. */
export const EXECUTOR = 'executor';
/** A quota that refuses is used up, whatever its header says. */
const FULL_PERCENT = 100;

export interface HeedContext {
  switches: Pick<KillSwitches, 'turnOn'>;
  ledgers: Ledgers;
  bus: Bus;
  clock: Clock;
  log: Log;
}

/**
 * A connection that the platform no longer takes stops the account: its switch is turned on and somebody is called. A quota that is
 * used up is written into the account's ledger, so that nobody asks again before it frees.
 */
export async function heedRefusal(
  change: Pick<Change, 'tenant' | 'accountId'>,
  error: unknown,
  { verdict, stopsAccount }: { verdict: Verdict; stopsAccount: boolean },
  context: HeedContext,
): Promise<void> {
  if (stopsAccount) return stopAccount(change, error, context);
  const throttled = throttleOf(error);
  // One ad set's own limit holds back nobody else.
  if (throttled === undefined || throttled === 'budget-edits' || verdict.decision !== 'defer') return;
  const { ledgers, clock } = context;
  const usage = { highestPercent: FULL_PERCENT, regainUntil: verdict.retryAt, readAt: clock.now() };
  await ledgers.change(change.tenant, change.accountId, (ledger) => ({
    ledger: observe(ledger, usage),
    answer: undefined,
  }));
}

async function stopAccount(
  { tenant, accountId }: Pick<Change, 'tenant' | 'accountId'>,
  error: unknown,
  { switches, bus, clock, log }: HeedContext,
): Promise<void> {
  const comment = error instanceof Error ? error.message : String(error);
  log.error('the ad account is stopped', { accountId, reason: comment });
  const scope = { kind: 'account', id: accountId } as const;
  await switches.turnOn(tenant, { scope, actor: EXECUTOR, comment, since: clock.now() });
  await bus.publish([{ name: 'ad-account.stopped', detail: { tenant, accountId, reason: comment } }]);
}
