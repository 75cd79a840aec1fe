// What happens when the platform no longer accepts an account's connection?
import { busNeed, type Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Change } from './change.ts';
import { killSwitchesNeed, type KillSwitches } from './kill-switches.ts';

export const stopNeeds = { bus: busNeed, switches: killSwitchesNeed('PutItem') };

/** Who turned the account's switch on; a person turns it off once the account is connected again. */
export const EXECUTOR = 'executor';

/** Everything of the account would be refused like this, so its switch is turned on and somebody is called. */
export async function stopAccount(
  { tenant, accountId }: Pick<Change, 'tenant' | 'accountId'>,
  error: unknown,
  { switches, bus, clock, log }: { switches: Pick<KillSwitches, 'turnOn'>; bus: Bus; clock: Clock; log: Log },
): Promise<void> {
  const comment = error instanceof Error ? error.message : String(error);
  log.error('the ad account is stopped', { accountId, reason: comment });
  const scope = { kind: 'account', id: accountId } as const;
  await switches.turnOn(tenant, { scope, actor: EXECUTOR, comment, since: clock.now() });
  await bus.publish([{ name: 'ad-account.stopped', detail: { tenant, accountId, reason: comment } }]);
}
