// Does one sequence of things that happen leave every promise kept?
import { changeDigest, slotOf, type Change, type ChangeRequest } from '../../../lambdas/changes/change.ts';
import { decideOne } from '../../../lambdas/changes/decide-changes.ts';
import { undo, type UndoView } from '../../../lambdas/changes/undo.ts';
import { wasApplied } from '../../../lambdas/changes/undo-plan.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import { undoFaults, type Undone } from './check-undo.ts';
import { faultsIn, restFaults, type Facts, type Thing } from './checker.ts';
import { commandsOf, settingsOf, type Command } from './commands.ts';
import { randomOf, type Random } from './random.ts';
import { CALM, smallWorld, TENANT, type SmallWorld } from './small-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TOKEN = String(DEFAULT_ACCOUNT.tokens[0]);

export interface Played {
  faults: string[];
  commands: readonly Command[];
  /** How many effects of ours there were, and changes by their last status. */
  effects: number;
  statuses: Record<string, number>;
  story: string[];
}

interface Play {
  world: SmallWorld;
  random: Random;
  things: Thing[];
  requests: ChangeRequest[];
  undone: Undone[];
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

/** Two campaigns: one whose ad sets hold the budgets, one that holds its own. */
function furnish({ meta, accountId }: SmallWorld): Thing[] {
  const things: Thing[] = [];
  const add = (
    id: string,
    kind: Thing['kind'],
    campaignId: string,
    dailyBudget: number | null,
    status = 'ACTIVE',
  ): string => {
    things.push({ id, kind, campaignId, dailyBudget, status });
    return id;
  };
  const open = meta.addCampaign(accountId, { name: 'Ad sets hold the budgets' });
  add(open, 'campaign', open, null);
  const whole = meta.addCampaign(accountId, { name: 'Holds the budget', dailyBudget: 20_000 });
  add(whole, 'campaign', whole, 20_000);
  const adSets = [4_000, 5_000, 10_000, 30_000].map((dailyBudget, i) => {
    const status = i === 2 ? 'PAUSED' : 'ACTIVE';
    const bid = i === 0 ? { bid: 150 } : {};
    return add(meta.addAdSet(open, { dailyBudget, status, ...bid }), 'adset', open, dailyBudget, status);
  });
  const under = add(meta.addAdSet(whole), 'adset', whole, null);
  for (const parent of [adSets[0] as string, under, under]) {
    const campaignId = parent === under ? whole : open;
    add(meta.addAd(parent), 'ad', campaignId, null);
  }
  return things;
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

function fieldsOf({ world }: Play, { id, kind }: Thing): Readonly<Record<string, unknown>> {
  return world.meta.objects(world.accountId, kind).find((one) => one.id === id)?.fields ?? {};
}

function requestOf(scene: Play, command: Extract<Command, { do: 'queue' }>): ChangeRequest {
  const { world, things } = scene;
  const now = world.agenda.now();
  const slot = slotOf(command.kind);
  // Mostly what can be asked of the object at all.
  const fits = things.filter(({ kind, dailyBudget }) =>
    slot === 'budget' ? dailyBudget !== null : slot === 'status' || kind === 'adset',
  );
  const choice = command.factor > 2.4 ? things : fits;
  const thing = choice[command.thing % choice.length] as Thing;
  const fields = fieldsOf(scene, thing);
  const amount = Number(fields[slot === 'bid' ? 'bid_amount' : 'daily_budget'] ?? 5_000);
  const from = command.wrongFrom ? amount + 137 : amount;
  const factor =
    command.kind === 'BUDGET_INCREASE'
      ? 1 + Math.abs(command.factor - 1)
      : command.kind === 'BUDGET_DECREASE'
        ? Math.min(command.factor, 2 - command.factor)
        : command.factor;
  const to = Math.max(1, Math.round(from * factor));
  const statuses = {
    PAUSE: ['ACTIVE', 'PAUSED'],
    ARCHIVE: ['ACTIVE', 'ARCHIVED'],
    RESUME: ['PAUSED', 'ACTIVE'],
    ACTIVATE: ['PAUSED', 'ACTIVE'],
  };
  const [was, is] = statuses[command.kind as keyof typeof statuses] ?? [from, to];
  return {
    accountId: world.accountId,
    entity: { kind: thing.kind, id: thing.id },
    kind: command.kind,
    from: was as ChangeRequest['from'],
    to: is as ChangeRequest['to'],
    currency: DEFAULT_ACCOUNT.currency,
    reason: 'The numbers say so.',
    origin: { area: 'budget', id: 'decision', actor: 'somebody' },
    expiresAt: now + (command.factor > 1.15 ? 40 * MINUTE_MS : 12 * HOUR_MS),
    ...command.request,
  };
}

async function obey(scene: Play, command: Command): Promise<void> {
  const { world, things, requests, random } = scene;
  const { agenda: time, weather, platform, meta } = world;
  const thing = 'thing' in command ? (things[command.thing % things.length] as Thing) : undefined;
  const of = <T>(all: readonly T[], which: number): T | undefined => all[which % Math.max(1, all.length)];
  switch (command.do) {
    case 'wait':
      return world.advance(command.ms);
    case 'queue': {
      const request = requestOf(scene, command);
      requests.push(request);
      return void world.queue(request);
    }
    case 'queue-again': {
      const request = of(requests, command.which);
      return request === undefined ? undefined : void world.queue(request);
    }
    case 'follow': {
      const parent = of(world.changes(), command.which);
      const request = requestOf(scene, {
        do: 'queue',
        thing: command.thing,
        kind: 'PAUSE',
        factor: 1,
        wrongFrom: false,
        request: {},
      });
      const after = random.chance(0.5) ? 'after' : 'behind';
      if (parent === undefined) return;
      return void world.queue({
        ...request,
        [after]: [parent.id],
        origin: { ...request.origin, id: `follows-${parent.id}` },
      });
    }
    case 'edit': {
      const fields = fieldsOf(scene, thing as Thing);
      const budget = Number(fields['daily_budget'] ?? 0);
      const edit =
        command.status !== undefined || budget === 0
          ? { status: command.status ?? ('PAUSED' as const) }
          : { dailyBudget: Math.max(100, Math.round(budget * command.factor)) };
      try {
        meta.person.edit((thing as Thing).id, edit);
      } catch {
        // Nobody can set that: it is archived.
      }
      return;
    }
    case 'weather':
      if (command.kind === 'calm') calm(world);
      if (command.kind === 'slow') platform.weather.slow = 0.5;
      if (command.kind === 'lost-replies') platform.weather.lostReply = 0.4;
      if (command.kind === 'disconnects') platform.weather.refused = 0.4;
      if (command.kind === 'silence') platform.weather.silent = 0.3;
      if (command.kind === 'table-refusals') weather.refused = 0.15;
      if (command.kind === 'lost-writes') weather.lost = 0.15;
      if (command.kind === 'kills') weather.killed = 0.35;
      if (command.kind === 'twice') Object.assign(weather, { twice: 0.6, never: 0.2 });
      return;
    case 'tables-down':
      weather.tablesDownUntil = time.now() + command.forMs;
      return;
    case 'throttle':
      return meta.throttle(world.accountId, { forMs: command.forMs });
    case 'token':
      return meta.expireToken(TOKEN, command.isExpired);
    case 'review':
      return meta.setReview((thing as Thing).id, command.inReview ? 'PENDING_REVIEW' : null);
    case 'switch':
      return void turn(scene, command);
    case 'decide':
      return void decide(scene, of(world.changes(), command.which), command.decision);
    case 'stop': {
      const execution = of(world.machine.running(), command.which);
      return execution === undefined ? undefined : world.machine.stop(execution);
    }
    case 'undo': {
      const applied = world.changes().filter(wasApplied);
      const one = of(applied, command.which);
      const some = command.all ? applied : applied.filter((change) => change === one);
      return some.length === 0 ? undefined : void takeBack(scene, some);
    }
  }
}

function turn({ world, things }: Play, { scope, on }: Extract<Command, { do: 'switch' }>): Promise<unknown> {
  const id = { tenant: '', account: world.accountId, campaign: things[0]?.id ?? '', rule: 'rule-1' }[scope];
  const one = (scope === 'tenant' ? { kind: scope } : { kind: scope, id }) as { kind: 'tenant' };
  return world.run('somebody at the switch', async (road) => {
    const { switches } = world.functions.desk(road);
    if (on)
      await switches.turnOn(TENANT, {
        scope: one,
        actor: 'somebody',
        comment: 'stop',
        since: world.agenda.now(),
      });
    else await switches.turnOff(TENANT, one);
  });
}

function decide(
  { world }: Play,
  change: Change | undefined,
  decision: Extract<Command, { do: 'decide' }>['decision'],
): Promise<unknown> {
  if (change === undefined) return Promise.resolve();
  return world.run(`somebody who decides: ${decision}`, async (road) => {
    const { changes, withdrawals } = world.functions.desk(road);
    const nowMs = world.agenda.now();
    if (decision === 'retract') return changes.retract(TENANT, change.id, 'not wanted any more', nowMs);
    const order = { decision, actor: 'somebody', comment: 'because', digest: changeDigest(change) };
    return decideOne(TENANT, change.id, order, { changes, withdrawals, nowMs });
  });
}

function takeBack({ world, undone }: Play, applied: Parameters<typeof undo>[0]): Promise<unknown> {
  return world.run('somebody who takes back', async (road) => {
    const { changes, audit } = world.functions.desk(road);
    const ads = world.platform.port({ name: 'undo', dead: false }, 'undo');
    const nowMs = world.agenda.now();
    const caller = { tenant: TENANT, subject: 'somebody', role: 'admin' } as Parameters<
      typeof undo
    >[1]['caller'];
    const view: UndoView = await undo(
      applied,
      { caller, preview: false, comment: 'back', key: String(nowMs) },
      { changes, ads, settings: world.settings, audit, nowMs },
    );
    undone.push({ atMs: nowMs, steps: view.steps });
  });
}

function calm({ weather, platform }: SmallWorld): void {
  Object.assign(weather, CALM);
  Object.assign(platform.weather, { slow: 0, lostReply: 0, refused: 0, silent: 0 });
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
