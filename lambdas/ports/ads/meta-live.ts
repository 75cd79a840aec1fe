// What is live in an ad account, as Meta tells it?
import * as z from 'zod';
import { shaped } from '../shaped.ts';
import type {
  AdsReader,
  BudgetHolder,
  Delivery,
  LearningState,
  LiveKind,
  LiveObject,
  LiveRef,
} from './live-ads.ts';
import { readAccount, unlessUnknown } from './meta-account.ts';
import { readActivities } from './meta-activities.ts';
import { createGraph, type Graph, type MetaOptions } from './meta-graph.ts';
import { fromMeta } from './meta-money.ts';
import { readAll } from './meta-pages.ts';
import type { Money } from './publisher.ts';

/** Sent as text or number; 0 and absent both mean that there is none. */
const Units = z.coerce.number().int().nonnegative().default(0);
const Status = z.enum(['ACTIVE', 'PAUSED', 'ARCHIVED', 'DELETED']);

const Live = z.object({
  id: z.string(),
  name: z.string().default(''),
  account_id: z.string(),
  campaign_id: z.string().optional(),
  adset_id: z.string().optional(),
  status: Status,
  effective_status: z.string().default(''),
  daily_budget: Units,
  lifetime_budget: Units,
  bid_amount: Units,
  learning_stage_info: z.object({ status: z.string().optional() }).optional(),
});

const Holder = z.object({
  id: z.string(),
  campaign_id: z.string().optional(),
  status: Status,
  daily_budget: Units,
});

const COMMON = 'id,name,account_id,status,effective_status';
const FIELDS: Readonly<Record<LiveKind, string>> = {
  campaign: `${COMMON},daily_budget,lifetime_budget`,
  adset: `${COMMON},campaign_id,daily_budget,lifetime_budget,bid_amount,learning_stage_info`,
  ad: `${COMMON},campaign_id,adset_id`,
};

/** More campaigns or ad sets than this are not read. */
const MOST_HOLDERS = 20_000;

/** `effective_status` of campaigns, ad sets and ads (reference pages of the three objects). */
const DELIVERIES: Readonly<Record<string, Delivery>> = {
  ACTIVE: 'active',
  PAUSED: 'paused',
  CAMPAIGN_PAUSED: 'parent-paused',
  ADSET_PAUSED: 'parent-paused',
  PENDING_REVIEW: 'in-review',
  IN_PROCESS: 'in-review',
  PREAPPROVED: 'active',
  DISAPPROVED: 'rejected',
  WITH_ISSUES: 'with-issues',
  PENDING_BILLING_INFO: 'with-issues',
  ARCHIVED: 'over',
  DELETED: 'over',
};

const LEARNING: Readonly<Record<string, LearningState>> = {
  LEARNING: 'learning',
  SUCCESS: 'done',
  FAIL: 'limited',
};

/** A reader of one ad account. */
export function createMetaReader(options: MetaOptions): AdsReader {
  return readThrough(createGraph(options), options).reader;
}

/** The reader over a connection that others use too, and the account's currency, which is asked for once. */
export function readThrough(
  graph: Graph,
  { accountId, clock }: Pick<MetaOptions, 'accountId' | 'clock'>,
): { reader: AdsReader; currency(): Promise<string> } {
  const account = `act_${accountId}`;
  let known: string | undefined;
  const describe = async () => {
    const found = await readAccount(graph, accountId);
    known = found.currency;
    return found;
  };
  const currency = async (): Promise<string> => known ?? (await describe()).currency;
  const holders = (edge: 'campaigns' | 'adsets', fields: string) =>
    readAll(graph, {
      what: `list ${edge}`,
      path: `${account}/${edge}`,
      params: { fields },
      row: Holder,
      mostRows: MOST_HOLDERS,
    });

  return {
    currency,
    reader: {
      account: describe,
      async live(ref) {
        // Anything but digits would be another path.
        if (!/^\d+$/.test(ref.id)) return null;
        const what = `read ${ref.kind}`;
        const found = await unlessUnknown(graph.call(what, 'GET', ref.id, { fields: FIELDS[ref.kind] }));
        if (found === null) return null;
        const row = shaped(Live, found, `Meta: ${what}`);
        // A token may see several accounts; the others are none of this reader's business.
        return row.account_id.replace('act_', '') === accountId
          ? liveObject(ref, row, accountId, await currency())
          : null;
      },
      async budgets() {
        const unit = await currency();
        const adSets = await holders('adsets', 'id,campaign_id,status,daily_budget');
        const campaigns = await holders('campaigns', 'id,status,daily_budget');
        const active = new Set(campaigns.filter(({ status }) => status === 'ACTIVE').map(({ id }) => id));
        return [
          ...campaigns.flatMap((row) => holderOf('campaign', row, active, unit)),
          ...adSets.flatMap((row) => holderOf('adset', row, active, unit)),
        ];
      },
      activities: async (sinceMs) =>
        readActivities(graph, { accountId, currency: await currency(), sinceMs, nowMs: clock.now() }),
      usage: graph.usage,
    },
  };
}

function liveObject(
  { kind }: LiveRef,
  row: z.output<typeof Live>,
  accountId: string,
  currency: string,
): LiveObject {
  return {
    kind,
    id: row.id,
    name: row.name,
    accountId,
    campaignId: row.campaign_id ?? null,
    adSetId: row.adset_id ?? null,
    status: row.status,
    delivery: DELIVERIES[row.effective_status] ?? 'unknown',
    dailyBudget: money(row.daily_budget, currency),
    hasLifetimeBudget: row.lifetime_budget > 0,
    bid: money(row.bid_amount, currency),
    learning: LEARNING[row.learning_stage_info?.status ?? ''] ?? 'unknown',
  };
}

/** Nothing for what holds no budget per day. `activeCampaigns`: ids. */
function holderOf(
  kind: BudgetHolder['kind'],
  row: z.output<typeof Holder>,
  activeCampaigns: ReadonlySet<string>,
  currency: string,
): BudgetHolder[] {
  const dailyBudget = money(row.daily_budget, currency);
  if (dailyBudget === null || row.status === 'ARCHIVED' || row.status === 'DELETED') return [];
  const campaignId = kind === 'campaign' ? row.id : (row.campaign_id ?? '');
  const active = row.status === 'ACTIVE' && activeCampaigns.has(campaignId);
  return [{ kind, id: row.id, campaignId, dailyBudget, active }];
}

function money(units: number, currency: string): Money | null {
  return units === 0 ? null : fromMeta(units, currency);
}
