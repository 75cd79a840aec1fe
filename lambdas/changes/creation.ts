// May a launch create its paused objects in the ad account now, and what does the account's history say of them?
import type { Usage } from '../ports/ads/publisher.ts';
import type { Clock } from '../runtime/clock.ts';
import { RateLimited, Refused } from '../runtime/errors.ts';
import { composedNeed, type Need } from '../runtime/need.ts';
import { settingsNeed, type SettingsReader } from '../runtime/settings.ts';
import type { Entity } from './change.ts';
import { historyNeed, type History } from './history.ts';
import { stoppedBy } from './kill-switch.ts';
import { killSwitchesNeed, type KillSwitches } from './kill-switches.ts';
import { observe, reserveCreations } from './ledger.ts';
import { ledgersNeed, type Ledgers } from './ledgers.ts';
import { limitsOf } from './limits.ts';

export interface Launch {
  tenant: string;
  accountId: string;
  /** Run and step: asked again, it keeps the room it has. */
  launch: string;
  /** Objects that the step creates. */
  count: number;
}

export interface Creation {
  /**
   * Under the same kill switches, mode and limits as every change. @throws Refused while a switch is on or the mode is not live;
   * RateLimited, with `retryAt`, when the account has no room or the platform's quotas are used up.
   */
  allow(launch: Launch): Promise<void>;
  /** Tells everybody else who asks the account what the platform said about its quotas. */
  observe(at: Pick<Launch, 'tenant' | 'accountId'>, usage: Usage | null): Promise<void>;
  /** In the timelines of the objects; the same again changes nothing. */
  note(
    at: Pick<Launch, 'tenant' | 'accountId'> & { runId: string },
    what: 'created' | 'deleted',
    entities: readonly Entity[],
  ): Promise<void>;
}

export const creationNeed: Need<Creation> = composedNeed(
  {
    switches: killSwitchesNeed('Query'),
    ledgers: ledgersNeed('GetItem', 'PutItem'),
    history: historyNeed('PutItem'),
    settings: settingsNeed,
  },
  (opened, { clock }) => openCreation(opened, clock),
);

export interface CreationContext {
  switches: Pick<KillSwitches, 'on'>;
  ledgers: Ledgers;
  history: Pick<History, 'note'>;
  settings: Pick<SettingsReader, 'get'>;
}

export function openCreation(
  { switches, ledgers, history, settings }: CreationContext,
  clock: Clock,
): Creation {
  return {
    async allow({ tenant, accountId, launch, count }) {
      const stopped = stoppedBy(await switches.on(tenant), { accountId });
      if (stopped !== undefined)
        throw new Refused(`${stopped.actor} stopped the ${stopped.scope.kind}: ${stopped.comment}`);
      const { changes: chosen } = await settings.get(tenant);
      if (chosen.mode !== 'live') {
        throw new Refused(
          `Changes are in ${chosen.mode} mode, so nothing is created in the ad account ${accountId}. Ask for an analysis, or set the mode to live.`,
        );
      }
      const refusal = await ledgers.change(tenant, accountId, (ledger) => {
        const answer = reserveCreations(ledger, { runId: launch, count }, limitsOf(chosen), clock.now());
        return answer.granted ? { ledger: answer.ledger, answer: undefined } : { answer };
      });
      if (refusal === undefined) return;
      const { reason, retryAt } = refusal;
      throw new RateLimited(reason, retryAt === null ? {} : { retryAt });
    },
    async observe({ tenant, accountId }, usage) {
      if (usage === null) return;
      const readAt = clock.now();
      const regainUntil = usage.regainMs > 0 ? readAt + usage.regainMs : 0;
      await ledgers.change(tenant, accountId, (ledger) => ({
        ledger: observe(ledger, { highestPercent: usage.highestPercent, regainUntil, readAt }),
        answer: undefined,
      }));
    },
    note: (at, what, entities) => noteObjects(history, at, what, entities, clock.now()),
  };
}

/** Objects that a launch created or deleted, each in its own timeline. */
export async function noteObjects(
  history: Pick<History, 'note'>,
  { tenant, accountId, runId }: { tenant: string; accountId: string; runId: string },
  what: 'created' | 'deleted',
  entities: readonly Entity[],
  nowMs: number,
): Promise<void> {
  await Promise.all(
    entities.map((entity) =>
      history.note({
        tenant,
        accountId,
        entity,
        at: nowMs,
        sourceId: `${runId}-${what}`,
        by: 'us',
        actor: 'creative-generation',
        what,
        details: { runId },
      }),
    ),
  );
}
