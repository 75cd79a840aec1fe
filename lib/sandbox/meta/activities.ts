// What does the simulated account's own change history say, and how is it read?
import type { SandboxReply } from '../vendor.ts';
import type { KnownAccount } from './accounts.ts';
import { invalidParameter } from './errors.ts';
import { pageOf } from './pages.ts';
import type { GraphObject } from './store.ts';
import { graphTime, text, type Params } from './wire.ts';

/** Who changed something, as the history names them. */
export interface Actor {
  by: 'api' | 'person' | 'platform';
  id: string;
  name: string;
  applicationId: string;
  applicationName: string;
  /** Index of the request in the vendor's `requests`; null when there was none. */
  requestNo: number | null;
}

/** The platform itself: reviews and learning. */
export const PLATFORM: Actor = {
  by: 'platform',
  id: '0',
  name: 'Meta',
  applicationId: '0',
  applicationName: '',
  requestNo: null,
};

/** The application that a token of ours stands for. */
export const API_APPLICATION = { id: '4040404040404040', name: 'Impresario' } as const;

export function apiActor(requestNo: number): Actor {
  return {
    by: 'api',
    id: '122100000000000404',
    name: 'Impresario System User',
    applicationId: API_APPLICATION.id,
    applicationName: API_APPLICATION.name,
    requestNo,
  };
}

/** Somebody in Ads Manager, which the history calls by its old name. */
export function personActor(name: string): Actor {
  return {
    by: 'person',
    id: '10175294362345133',
    name,
    applicationId: '119211728144504',
    applicationName: 'Power Editor',
    requestNo: null,
  };
}

interface Activity {
  id: string;
  atMs: number;
  fields: Record<string, string>;
}

export interface ActivityLog {
  add(object: GraphObject, atMs: number, actor: Actor, eventType: string, extra: object): void;
  /** `GET act_<id>/activities`: newest first, a week when no `since` is given. */
  read(account: KnownAccount, params: Params, edgeUrl: string, token: string): SandboxReply;
  clear(): void;
}

/** The history keeps the names of 2014: a campaign was a group of campaigns, an ad a group. */
const OBJECT_TYPES: Readonly<Record<string, string>> = {
  campaign: 'CAMPAIGN_GROUP',
  adset: 'CAMPAIGN',
  ad: 'ADGROUP',
};

const READABLE = [
  'actor_id',
  'actor_name',
  'application_id',
  'application_name',
  'event_time',
  'event_type',
  'translated_event_type',
  'extra_data',
  'object_id',
  'object_name',
  'object_type',
];

const WEEK_MS = 7 * 24 * 3_600_000;
const SECOND_MS = 1_000;

export function createActivityLog(now: () => number): ActivityLog {
  const logs = new Map<string, Activity[]>();
  let issued = 0;
  return {
    add(object, atMs, actor, eventType, extra) {
      const log = logs.get(object.accountId) ?? [];
      logs.set(object.accountId, log);
      issued += 1;
      log.push({
        id: String(issued),
        atMs,
        fields: {
          actor_id: actor.id,
          actor_name: actor.name,
          application_id: actor.applicationId,
          application_name: actor.applicationName,
          event_time: graphTime(atMs),
          event_type: eventType,
          translated_event_type: sentence(eventType),
          extra_data: JSON.stringify(extra),
          object_id: object.id,
          object_name: String(object.fields['name']),
          object_type: OBJECT_TYPES[object.kind] ?? 'ACCOUNT',
        },
      });
    },
    read(account, params, edgeUrl, token) {
      const fields = (text(params, 'fields') ?? READABLE.join(',')).split(',').map((field) => field.trim());
      const wrong = fields.find((field) => !READABLE.includes(field));
      if (wrong !== undefined)
        throw invalidParameter(`Tried accessing nonexisting field (${wrong}) on node type (AdActivity)`);
      const since = moment(params, 'since') ?? now() - WEEK_MS;
      const until = moment(params, 'until') ?? now();
      if (since > until) throw invalidParameter('since must not be later than until.');
      const visibleUntil = Math.min(now() - account.activityLagMs, until + SECOND_MS - 1);
      const objectId = text(params, 'oid');
      const log = logs.get(account.id) ?? [];
      const shown: Activity[] = [];
      for (let index = log.length - 1; index >= 0; index -= 1) {
        const activity = log[index] as Activity;
        if (wholeSeconds(activity.atMs) < since) break;
        if (activity.atMs > visibleUntil) continue;
        if (objectId === undefined || activity.fields['object_id'] === objectId) shown.push(activity);
      }
      return pageOf(shown, params, edgeUrl, token, (activity) =>
        Object.fromEntries(fields.map((field) => [field, activity.fields[field]])),
      );
    },
    clear() {
      logs.clear();
      issued = 0;
    },
  };
}

/** Unix seconds or a date; epoch milliseconds. */
function moment(params: Params, name: string): number | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * SECOND_MS : Date.parse(value);
  if (Number.isNaN(ms)) throw invalidParameter(`${name} is not a time.`);
  return ms;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS;
}

function sentence(eventType: string): string {
  const words = eventType.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
