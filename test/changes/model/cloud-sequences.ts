// How are hostile sequences played on the whole embedded cloud, many accounts at once?
//
// Each sequence has a tenant and an account of its own in one world; they share the clock, the sweep, the functions and the faults,
// which name the tenant whose invocations they hit. The same checker judges each account by itself.
import type { Change, ChangeRequest } from '../../../lambdas/changes/change.ts';
import { openChanges, type Changes } from '../../../lambdas/changes/changes.ts';
import { openKillSwitches, type KillSwitches } from '../../../lambdas/changes/kill-switches.ts';
import { ChangeSettings } from '../../../lambdas/runtime/settings-schema.ts';
import type { World } from '../../../lib/laptop/world.ts';
import type { Fault } from '../../../lib/local/faults.ts';
import { newTenant } from '../../faults/tenants.ts';
import { faultsIn, restFaults } from './checker.ts';
import type { Thing } from './facts.ts';
import { randomOf, type Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const FUNCTIONS = [
  'claim-change',
  'read-live',
  'check-policy',
  'reserve-limits',
  'apply-change',
  'verify-change',
  'record-change',
];

interface Cast {
  seed: number;
  random: Random;
  tenant: string;
  accountId: string;
  things: Thing[];
  accepted: Set<string>;
  switchPeriods: { key: string; onAt: number; offAt: number }[];
}

export interface CloudPlayed {
  seed: number;
  effects: number;
  statuses: string[];
  faults: string[];
}

/** Plays one sequence for each seed, all at once; `steps`: how many things happen to each. */
export async function playOnCloud(
  world: World,
  seeds: readonly number[],
  steps: number,
): Promise<CloudPlayed[]> {
  const changes = openChanges(world.table('changes'));
  const switches = openKillSwitches(world.table('changes'));
  const cast: Cast[] = [];
  for (const seed of seeds) cast.push(await furnish(world, seed));
  for (let step = 0; step < steps; step += 1) {
    for (const one of cast) await happen(world, one, changes, switches);
    const random = randomOf((seeds[0] ?? 0) * 31 + step);
    await world.cloud.advance(random.chance(0.75) ? random.int(500, 20_000) : random.int(1, 20) * MINUTE_MS);
  }
  world.cloud.faults.clear();
  world.sandbox.meta.heal();
  for (const one of cast) {
    world.sandbox.meta.throttle(one.accountId, false);
    for (const { scope } of await switches.on(one.tenant)) await switches.turnOff(one.tenant, scope);
  }
  for (const { switchPeriods } of cast)
    for (const period of switchPeriods) period.offAt = Math.min(period.offAt, world.cloud.clock.now());
  // Everything that was queued has expired by then.
  await world.cloud.advance(4 * HOUR_MS, { stuckAfterMs: 120_000 });
  return Promise.all(cast.map((one) => judged(world, one)));
}

async function furnish(world: World, seed: number): Promise<Cast> {
  const tenant = `sequence-${seed}`;
  const changes = ChangeSettings.parse({
    jitterSeconds: { min: 0, max: 3 },
    personCooldownMinutes: 0,
    learning: { whenLearning: 'proceed' },
  });
  const { id: accountId } = await newTenant(world, tenant, seed, { changes });
  const { meta } = world.sandbox;
  const campaignId = meta.addCampaign(accountId);
  const things: Thing[] = [
    { id: campaignId, kind: 'campaign', campaignId, status: 'ACTIVE', dailyBudget: null },
  ];
  for (const dailyBudget of [4_000, 10_000, 30_000]) {
    const id = meta.addAdSet(campaignId, { dailyBudget });
    things.push({ id, kind: 'adset', campaignId, status: 'ACTIVE', dailyBudget });
    things.push({ id: meta.addAd(id), kind: 'ad', campaignId, status: 'ACTIVE', dailyBudget: null });
  }
  return { seed, random: randomOf(seed), tenant, accountId, things, accepted: new Set(), switchPeriods: [] };
}

async function happen(world: World, one: Cast, changes: Changes, switches: KillSwitches): Promise<void> {
  const { random, tenant, accountId } = one;
  const nowMs = world.cloud.clock.now();
  const lot = random.next();
  if (lot < 0.5) {
    const { change } = await changes.queue({
      tenant,
      request: requestOf(world, one, nowMs),
      status: 'PENDING',
      nowMs,
    });
    one.accepted.add(change.id);
  } else if (lot < 0.6) {
    const { id } = random.pick(one.things.filter(({ kind }) => kind === 'adset'));
    world.sandbox.meta.person.edit(id, {
      dailyBudget: Math.round(budgetOf(world, accountId, id) * (0.7 + random.next())),
    });
  } else if (lot < 0.82) world.cloud.faults.add(faultFor(one));
  else if (lot < 0.86) world.sandbox.meta.throttle(accountId, { forMs: random.int(1, 10) * MINUTE_MS });
  else if (lot < 0.93) {
    const open = one.switchPeriods.find(({ offAt }) => offAt === Infinity);
    if (open === undefined) {
      await switches.turnOn(tenant, {
        scope: { kind: 'tenant' },
        actor: 'somebody',
        comment: 'stop',
        since: nowMs,
      });
      one.switchPeriods.push({ key: 'tenant', onAt: world.cloud.clock.now(), offAt: Infinity });
    } else {
      open.offAt = nowMs;
      await switches.turnOff(tenant, { kind: 'tenant' });
    }
  } else {
    const waiting = await changes.inStatus(tenant, 'PENDING');
    if (waiting.length > 0)
      await changes.cancel(tenant, random.pick(waiting).id, 'not wanted', nowMs).catch(() => false);
  }
}

function budgetOf(world: World, accountId: string, id: string): number {
  const found = world.sandbox.meta.objects(accountId, 'adset').find((one) => one.id === id);
  return Number(found?.fields['daily_budget']);
}

function requestOf(world: World, { random, accountId, things, seed }: Cast, nowMs: number): ChangeRequest {
  const common = {
    accountId,
    currency: 'USD',
    reason: 'The numbers say so.',
    origin: { area: 'budget', id: `decision-${seed}-${random.int(0, 1e6)}`, actor: 'somebody' },
    expiresAt: nowMs + random.int(20, 150) * MINUTE_MS,
  };
  const thing = random.pick(things.filter(({ kind }) => kind !== 'campaign'));
  if (thing.kind === 'ad') {
    const pause = random.chance(0.5);
    const [from, to] = pause ? (['ACTIVE', 'PAUSED'] as const) : (['PAUSED', 'ACTIVE'] as const);
    return { ...common, entity: { kind: 'ad', id: thing.id }, kind: pause ? 'PAUSE' : 'RESUME', from, to };
  }
  const from = budgetOf(world, accountId, thing.id);
  const to = Math.round(from * (0.8 + random.next() * 0.45)) + 1;
  return {
    ...common,
    entity: { kind: 'adset', id: thing.id },
    kind: 'BUDGET_SET',
    from,
    to: to === from ? to + 1 : to,
  };
}

function faultFor({ random, tenant }: Cast): Fault {
  const own = { function: random.pick(FUNCTIONS), event: `"${tenant}"`, times: random.int(1, 2) };
  const when = random.pick(['before', 'after'] as const);
  switch (random.int(0, 4)) {
    case 0:
      return { ...own, invocation: 'kill', when };
    case 1:
      return { ...own, callIndex: random.int(1, 8), when, effect: { kind: 'kill' } };
    case 2:
      return { ...own, host: '/meta/', when: 'after', effect: { kind: 'lost-reply' } };
    case 3:
      return { ...own, host: '/meta/', when, effect: { kind: 'timeout' } };
    default:
      return {
        ...own,
        service: 'dynamodb',
        when,
        effect: random.pick([{ kind: 'throttle' }, { kind: 'lost-reply' }] as const),
      };
  }
}

async function judged(
  world: World,
  { seed, tenant, accountId, things, accepted, switchPeriods }: Cast,
): Promise<CloudPlayed> {
  const changes: Change[] = [];
  const table = openChanges(world.table('changes'));
  const statuses = [
    'PENDING',
    'CLAIMED',
    'EXECUTING',
    'HELD',
    'COMPLETED',
    'FAILED',
    'BLOCKED',
    'SUPERSEDED',
    'EXPIRED',
    'CANCELLED',
  ] as const;
  for (const status of statuses) changes.push(...(await table.inStatus(tenant, status)));
  const facts = {
    nowMs: world.cloud.clock.now(),
    accountId,
    effects: world.sandbox.meta.effects(accountId),
    things,
    changes,
    accepted,
    switchPeriods,
    mode: 'live',
    limits: { changesPerHour: 15, budgetEditsPerHour: 4, velocityPercent: 20, velocityHours: 6 },
  };
  return {
    seed,
    effects: facts.effects.filter(({ by }) => by === 'api').length,
    statuses: changes.map(({ status, statusCode }) => `${status} ${statusCode}`),
    faults: [...faultsIn(facts), ...restFaults(facts)].map((fault) => `seed ${seed}: ${fault}`),
  };
}
