// Which campaigns does a sequence play with, and what is asked about them?
import { slotOf, type ChangeRequest } from '../../../lambdas/changes/change.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import type { Undone } from './check-undo.ts';
import type { Thing } from './facts.ts';
import type { Command } from './commands.ts';
import type { Random } from './random.ts';
import { CALM, type SmallWorld } from './small-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface Play {
  world: SmallWorld;
  random: Random;
  things: Thing[];
  requests: ChangeRequest[];
  undone: Undone[];
}

/** Two campaigns: one whose ad sets hold the budgets, one that holds its own. */
export function furnish({ meta, accountId }: SmallWorld): Thing[] {
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

export function fieldsOf({ world }: Play, { id, kind }: Thing): Readonly<Record<string, unknown>> {
  return world.meta.objects(world.accountId, kind).find((one) => one.id === id)?.fields ?? {};
}

export function requestOf(scene: Play, command: Extract<Command, { do: 'queue' }>): ChangeRequest {
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

export function calm({ weather, platform }: SmallWorld): void {
  Object.assign(weather, CALM);
  Object.assign(platform.weather, { slow: 0, lostReply: 0, refused: 0, silent: 0 });
}
