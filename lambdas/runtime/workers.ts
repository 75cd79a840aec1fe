// When did each scheduled worker last do its work, which are late, and what did the sweep count?
//
// Table runs, pk `platform#workers`, sk `success#<worker>`: at; sk `gauges` and `change-gauges`: what the last sweeps saw. Read by
// /health.
import * as z from 'zod';
import type { Need } from './need.ts';
import { tableNeed, type Table } from './table.ts';

const WORKERS = 'platform#workers';

export interface Success {
  record(worker: string, nowMs: number): Promise<void>;
}

const table = tableNeed('runs', ['PutItem']);

/** For scheduled triggers; `defineTrigger` adds it and records each success. */
export const successNeed: Need<Success> = {
  ...table,
  open(env, context) {
    const rows = table.open(env, context);
    return {
      record: (worker, nowMs) =>
        rows.put({ Item: { pk: WORKERS, sk: `success#${worker}`, at: new Date(nowMs).toISOString() } }),
    };
  },
};

export const Gauges = z.object({
  at: z.string(),
  pendingChanges: z.number().int(),
  compensationDebts: z.number().int(),
  openRuns: z.number().int(),
  /** Since when the oldest change or run waits, ISO 8601. */
  oldestPendingAt: z.string().optional(),
  /** The next vendor token to end, ISO 8601; absent when no connection says when. */
  nextTokenExpiryAt: z.string().optional(),
});
export type Gauges = z.infer<typeof Gauges>;

export async function recordGauges(rows: Pick<Table, 'put'>, gauges: Gauges): Promise<void> {
  await rows.put({ Item: { pk: WORKERS, sk: 'gauges', ...gauges } });
}

/** What the look over all changes saw, every ten minutes. */
export const ChangeGauges = z.object({
  at: z.string(),
  /** Changes that could be applied now if there were room. */
  due: z.number().int(),
  oldestDueSeconds: z.number(),
  oldestLeaseSeconds: z.number(),
  /** Ad accounts whose connection the platform refuses. */
  stoppedAccounts: z.number().int(),
  /** Reason → changes that wait for it. */
  deferred: z.record(z.string(), z.number().int()),
});
export type ChangeGauges = z.infer<typeof ChangeGauges>;

export const changeGaugesNeed: Need<{ record(gauges: ChangeGauges): Promise<void> }> = {
  ...table,
  open(env, context) {
    const rows = table.open(env, context);
    return {
      record: (gauges) => rows.put({ Item: { pk: WORKERS, sk: 'change-gauges', ...gauges } }),
    };
  },
};

export interface KnownWorker {
  /** Name of its trigger. */
  worker: string;
  /** Without a success for longer it is late. */
  lateAfterMs: number;
}

/** One sentence for each that is late. One that never succeeded is late when it was deployed long enough ago. */
export function lateWorkers(
  known: readonly KnownWorker[],
  lastSuccess: ReadonlyMap<string, string>,
  deployedAtMs: number | undefined,
  nowMs: number,
): string[] {
  return known.flatMap(({ worker, lateAfterMs }) => {
    const at = lastSuccess.get(worker);
    const sinceMs = at === undefined ? (deployedAtMs ?? nowMs) : Date.parse(at);
    if (nowMs - sinceMs <= lateAfterMs) return [];
    return at === undefined
      ? [`${worker} has never succeeded, although it was deployed at ${new Date(sinceMs).toISOString()}.`]
      : [`${worker} last succeeded at ${at}.`];
  });
}

export interface Workers {
  /** Worker → ISO 8601. */
  lastSuccess: ReadonlyMap<string, string>;
  gauges?: Gauges;
  changes?: ChangeGauges;
}

export async function readWorkers(rows: Pick<Table, 'queryAll'>): Promise<Workers> {
  const items = await rows.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': WORKERS },
  });
  const gauges = items.find(({ sk }) => sk === 'gauges');
  const changes = items.find(({ sk }) => sk === 'change-gauges');
  return {
    lastSuccess: new Map(
      items
        .filter(({ sk }) => sk.startsWith('success#'))
        .map(({ sk, at }) => [sk.slice('success#'.length), String(at)]),
    ),
    ...(gauges === undefined ? {} : { gauges: Gauges.parse(gauges) }),
    ...(changes === undefined ? {} : { changes: ChangeGauges.parse(changes) }),
  };
}
