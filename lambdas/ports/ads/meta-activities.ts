// What has Meta logged about an ad account, and which of it is about budgets, bids and statuses?
import * as z from 'zod';
import { hashOf } from '../../runtime/canonical.ts';
import { shaped } from '../shaped.ts';
import type { Activity, LiveKind, LiveStatus } from './live-ads.ts';
import type { Graph } from './meta-graph.ts';
import { fromMeta } from './meta-money.ts';
import { readAll } from './meta-pages.ts';

const Id = z.union([z.string(), z.number()]).nullish();
const Row = z.object({
  event_time: z.union([z.string(), z.number()]),
  event_type: z.string(),
  extra_data: z.unknown(),
  actor_id: Id,
  actor_name: z.string().nullish(),
  application_id: Id,
  object_id: Id,
  object_type: z.string().nullish(),
});
type Row = z.output<typeof Row>;

const FIELDS = 'event_time,event_type,extra_data,actor_id,actor_name,application_id,object_id,object_type';
const MOST_LINES = 20_000;
const SECOND_MS = 1_000;
/** Meta's clock may be ahead of ours. */
const AHEAD_S = 60;

/** Event types of AdActivity in Meta's SDK: of what kind the object is and what happened to it. */
const EVENTS: Readonly<Record<string, readonly [LiveKind, Activity['what']]>> = {
  create_campaign: ['campaign', 'created'],
  create_campaign_group: ['campaign', 'created'],
  create_ad_set: ['adset', 'created'],
  create_ad: ['ad', 'created'],
  update_campaign_budget: ['campaign', 'budget'],
  update_ad_set_budget: ['adset', 'budget'],
  update_campaign_run_status: ['campaign', 'status'],
  update_ad_set_run_status: ['adset', 'status'],
  update_ad_run_status: ['ad', 'status'],
  update_ad_set_bidding: ['adset', 'bid'],
  update_ad_set_bid_strategy: ['adset', 'bid'],
  update_ad_set_bid_adjustments: ['adset', 'bid'],
  update_ad_bid_info: ['ad', 'bid'],
  update_ad_bid_type: ['ad', 'bid'],
  update_ad_set_learning_stage_status: ['adset', 'learning'],
  di_ad_set_learning_stage_exit: ['adset', 'learning'],
  ad_review_approved: ['ad', 'review'],
  ad_review_declined: ['ad', 'review'],
  update_ad_run_status_to_be_set_after_review: ['ad', 'review'],
};

/** The log keeps the names of 2014: campaigns were groups of campaigns, ads were groups. */
const OBJECT_TYPES: Readonly<Record<string, LiveKind>> = {
  CAMPAIGN_GROUP: 'campaign',
  CAMPAIGN: 'adset',
  ADGROUP: 'ad',
};

/** Anything else, such as `Pending Process`, is a state on the way and no configured status. */
const STATUS_WORDS: Readonly<Record<string, LiveStatus>> = {
  active: 'ACTIVE',
  inactive: 'PAUSED',
  paused: 'PAUSED',
  archived: 'ARCHIVED',
  deleted: 'DELETED',
};

export interface ActivityQuery {
  accountId: string;
  /** Of the account: amounts are in Meta's units of it. */
  currency: string;
  sinceMs: number;
  nowMs: number;
}

/**
 * Lines about campaigns, ad sets and ads from the second of `sinceMs` on, oldest first. Lines about billing, people, audiences
 * and images are left out. Words such as `Active` come in the reader's language unless one is asked for.
 * @throws Refused above 20,000 lines.
 */
export async function readActivities(graph: Graph, query: ActivityQuery): Promise<Activity[]> {
  const rows = await readAll(graph, {
    what: 'list activities',
    path: `act_${query.accountId}/activities`,
    params: {
      fields: FIELDS,
      // Without it only the last week is given.
      since: Math.floor(query.sinceMs / SECOND_MS),
      until: Math.ceil(query.nowMs / SECOND_MS) + AHEAD_S,
      locale: 'en_US',
    },
    row: Row,
    mostRows: MOST_LINES,
  });
  // Newest first on the wire; lines of one second keep their order.
  const lines = rows.toReversed().flatMap((row) => lineOf(row, query.currency));
  return numbered(lines.toSorted((a, b) => a.at - b.at));
}

/** A line before it has an id: `key` holds all of it that never changes from one reading to the next. */
type Line = Omit<Activity, 'id'> & { key: string };

function lineOf(row: Row, currency: string): Line[] {
  const [kind, what] = EVENTS[row.event_type] ?? [OBJECT_TYPES[row.object_type ?? ''], 'other' as const];
  const id = text(row.object_id);
  if (kind === undefined || id === '') return [];
  const at = timeOf(row.event_time);
  const actorId = text(row.actor_id);
  const extra = objectOf(row.extra_data);
  const [before, after] = valuesOf(what, extra, currency);
  return [
    {
      at,
      actorId,
      actorName: row.actor_name ?? '',
      applicationId: text(row.application_id),
      entity: { kind, id },
      what,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      eventType: row.event_type,
      // The rest of extra_data is no identity: signed URLs and learning times differ at each reading.
      key: hashOf([at, row.event_type, id, actorId, plain(extra, 'old_value'), plain(extra, 'new_value')]),
    },
  ];
}

/** Meta gives lines no id. Equal lines of one second are told apart by their number. */
function numbered(lines: readonly Line[]): Activity[] {
  const seen = new Map<string, number>();
  return lines.map(({ key, ...line }) => {
    const number = (seen.get(key) ?? 0) + 1;
    seen.set(key, number);
    return { id: `${key.slice(0, 26)}-${number}`, ...line };
  });
}

type Side = 'old_value' | 'new_value';
type Value = number | LiveStatus | undefined;

function valuesOf(what: Activity['what'], extra: Extra, currency: string): [Value, Value] {
  if (what === 'status') return [statusOf(extra, 'old_value'), statusOf(extra, 'new_value')];
  if (what !== 'budget' && what !== 'bid' && what !== 'created') return [undefined, undefined];
  return [amountOf(extra, 'old_value', currency), amountOf(extra, 'new_value', currency)];
}

/** Minor units; undefined when the side names no amount, another currency, or a budget for a lifetime. */
function amountOf(extra: Extra, side: Side, currency: string): number | undefined {
  const units = Number(plain(extra, side));
  const { currency: named } = objectOf(extra[side]);
  if (!Number.isSafeInteger(units) || units <= 0 || (named !== undefined && named !== currency))
    return undefined;
  return isForLifetime(extra, side) ? undefined : fromMeta(units, currency).amountMinor;
}

/** `Per day`, `Lifetime budget`; a side that does not say is taken for what the other one says. */
function isForLifetime(extra: Extra, side: Side): boolean {
  const other = side === 'old_value' ? 'new_value' : 'old_value';
  return /lifetime/i.test(periodOf(extra, side) || periodOf(extra, other));
}

function periodOf(extra: Extra, side: Side): string {
  const { additional_value: period, type } = objectOf(extra[side]);
  const named = [period, type].find((word) => typeof word === 'string' && / /.test(word));
  return typeof named === 'string' ? named : '';
}

function statusOf(extra: Extra, side: Side): LiveStatus | undefined {
  const word = plain(extra, side);
  return typeof word === 'string' ? STATUS_WORDS[word.toLowerCase()] : undefined;
}

/** `{old_value: x}` and `{old_value: {type, old_value: x}}` both occur: x, when it is a word or a number. */
function plain(extra: Extra, side: Side): string | number | undefined {
  const outer = extra[side];
  const value = typeof outer === 'object' && outer !== null ? objectOf(outer)[side] : outer;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

type Extra = Readonly<Record<string, unknown>>;

/** `extra_data` is JSON text; what cannot be read says nothing. */
function objectOf(value: unknown): Extra {
  if (typeof value === 'string') {
    try {
      return objectOf(JSON.parse(value));
    } catch {
      return {};
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Extra) : {};
}

function text(id: z.output<typeof Id>): string {
  return id === null || id === undefined ? '' : String(id);
}

/** `2026-11-20T12:00:00+0000` or Unix seconds; epoch milliseconds. */
function timeOf(value: string | number): number {
  return shaped(z.number(), momentOf(value), 'Meta: list activities');
}

function momentOf(value: string | number): number {
  return typeof value === 'number'
    ? value * SECOND_MS
    : Date.parse(value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
}
