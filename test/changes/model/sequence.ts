// Does one sequence of things that happen leave every promise kept?
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import { undoFaults } from './check-undo.ts';
import { faultsIn, restFaults } from './checker.ts';
import { commandsOf, settingsOf, type Command } from './commands.ts';
import { obey } from './obey.ts';
import type { Facts, Thing } from './facts.ts';
import { randomOf } from './random.ts';
import { calm, fieldsOf, furnish, type Play } from './scene.ts';
import { smallWorld, TENANT } from './small-world.ts';

const HOUR_MS = 3_600_000;
const TOKEN = String(DEFAULT_ACCOUNT.tokens[0]);

export interface Played {
  faults: string[];
  commands: readonly Command[];
  /** How many effects of ours there were, and changes by their last status. */
  effects: number;
  statuses: Record<string, number>;
  story: string[];
}

/** `commands` replaces those that the seed gives, for making a failing sequence smaller. */
export async function play(seed: number, commands?: readonly Command[]): Promise<Played> {
  const chosen = settingsOf(randomOf(seed * 3 + 1));
  const given = commands ?? commandsOf(randomOf(seed * 3 + 2), 12);
  const random = randomOf(seed * 3);
  const world = smallWorld(random, { ...chosen, approval: { abovePercent: 100 } });
  const state: Play = { world, random, things: furnish(world), requests: [], undone: [] };
  const facts = (): Facts => factsOf(state, chosen);
  const faults: string[] = [];
  try {
    for (const command of given) {
      await obey(state, command);
      if (command.do !== 'wait') await world.advance(random.int(0, 2_500));
    }
    heal(state);
    await world.advance(7 * HOUR_MS);
    heal(state);
    const canary = await sing(state);
    await world.advance(24 * HOUR_MS);
    faults.push(...canary());
    faults.push(...faultsIn(facts()), ...restFaults(facts()), ...undoFaults(facts(), state.undone));
  } catch (error) {
    faults.push(`the sequence broke: ${error instanceof Error ? error.stack : String(error)}`);
  }
  faults.push(...world.bugs);
  const changes = world.changes();
  return {
    faults,
    commands: given,
    effects: world.meta.effects(world.accountId).filter(({ by }) => by === 'api').length,
    statuses: Object.fromEntries(
      [...Map.groupBy(changes, ({ status, statusCode }) => `${status} ${statusCode}`)].map(
        ([status, all]) => [status, all.length],
      ),
    ),
    story: storyOf(state),
  };
}

function factsOf({ world, things }: Play, chosen: ReturnType<typeof settingsOf>): Facts {
  return {
    nowMs: world.agenda.now(),
    accountId: world.accountId,
    effects: world.meta.effects(world.accountId),
    things,
    changes: world.changes(),
    accepted: world.accepted,
    switchPeriods: world.switchPeriods,
    intents: world.intents,
    overlaps: world.overlaps,
    causes: world.platform.causes,
    mode: chosen.mode,
    limits: { changesPerHour: chosen.perHour, budgetEditsPerHour: 4, velocityPercent: 20, velocityHours: 6 },
  };
}

function heal({ world }: Play): void {
  calm(world);
  world.meta.throttle(world.accountId, false);
  world.meta.expireToken(TOKEN, false);
  for (const { key, offAt } of world.switchPeriods.filter((one) => one.offAt === Infinity)) {
    void offAt;
    const [kind = '', id = ''] = key.split('#');
    const scope = (kind === 'tenant' ? { kind } : { kind, id }) as { kind: 'tenant' };
    void world.run('somebody at the switch', (road) =>
      world.functions.desk(road).switches.turnOff(TENANT, scope),
    );
  }
}

/** Once nothing hinders any more, a plain change of an ad that nobody ever touched goes through. */
async function sing(scene: Play): Promise<() => string[]> {
  const { world, things } = scene;
  const ad = world.meta.addAd((things.find(({ kind }) => kind === 'adset') as Thing).id, {
    name: 'Never touched',
  });
  const campaignId = (things[0] as Thing).id;
  const parents = things.filter(({ id, kind }) => id === campaignId || kind === 'adset');
  const shut = parents.some(
    ({ id, kind, campaignId: of }) =>
      of === campaignId && kind !== 'ad' && fieldsOf(scene, { id, kind } as Thing)['status'] === 'ARCHIVED',
  );
  things.push({ id: ad, kind: 'ad', campaignId, status: 'ACTIVE', dailyBudget: null });
  if (shut) return () => [];
  const now = world.agenda.now();
  void world.queue({
    accountId: world.accountId,
    entity: { kind: 'ad', id: ad },
    kind: 'PAUSE',
    from: 'ACTIVE',
    to: 'PAUSED',
    currency: DEFAULT_ACCOUNT.currency,
    reason: 'To see that all is well.',
    expectedValueMinor: 1_000_000,
    origin: { area: 'person', id: 'canary', actor: 'somebody' },
    expiresAt: now + 20 * HOUR_MS,
  });
  await world.advance(2 * HOUR_MS);
  return () => {
    const canary = world.changes().find(({ entity }) => entity.id === ad);
    return canary?.status === 'COMPLETED'
      ? []
      : [`the last change of all is ${canary?.status} (${canary?.statusReason})`];
  };
}

function storyOf({ world }: Play): string[] {
  const at = (ms: number): string => new Date(ms).toISOString().slice(5, 23);
  const moves = world
    .rows('history')
    .flatMap((row) =>
      row.pk.includes('#story#')
        ? [
            [
              at(Number(row['at'])),
              row['changeId'],
              row['move'],
              row['lease'],
              row['code'],
              row['reason'],
            ].join(' '),
          ]
        : [],
    );
  const effects = world.meta
    .effects(world.accountId)
    .map(
      ({ atMs, objectId, field, before, after, by, requestNo }) =>
        `${at(atMs)} EFFECT by ${by} ${objectId} ${field} ${before} → ${after} ${world.platform.causes.get(requestNo ?? -1) ?? ''}`,
    );
  return [...moves, ...effects].toSorted();
}
