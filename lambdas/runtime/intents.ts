// What has this run done to the outside world, and what of it must be undone?
//
// Table runs, pk `<tenant>#run#<runId>`, sk `effect#<effect>#<subject>`: status begun → applied → undone, or kept
// once the run that made it has succeeded: a later attempt that fails takes back only its own.
import { recordDebt } from './debts.ts';
import { Conflict } from './errors.ts';
import { emitMetric } from './metrics.ts';
import { retainedUntil, runKey } from './run-keys.ts';
import { settlementKey } from './settlement.ts';
import type { Item, Table, TransactAction } from './table.ts';

export interface Intent {
  effect: string;
  /** A domain id: variation hash, ad id, revision. */
  subject: string;
  status: 'begun' | 'applied' | 'undone' | 'kept';
  details: unknown;
  /** What the vendor answered: ids to undo by. Absent until applied. */
  result?: unknown;
  /** ISO 8601. */
  begunAt: string;
  /** Task that undoes it, as its creator declared. */
  undoneBy?: string;
}

export interface Begun {
  /** `new`: nobody tried before. `begun`: tried, outcome unknown: look before trying again. `applied`: done, do nothing. */
  status: 'new' | 'begun' | 'applied';
  result?: unknown;
  /** Details of the first attempt: look for that one. */
  details: unknown;
}

export interface Effects {
  /** `run id/effect/subject`: the key of the external write, the same on every retry and restart. */
  key(effect: string, subject: string): string;
  /**
   * Call before the external write. An undone effect begins anew.
   * @throws Conflict once the attempt is being settled: stopping an execution does not end the function that is running, and
   * what it made after the undo nobody would take back.
   */
  begin(effect: string, subject: string, details: unknown): Promise<Begun>;
  /** @throws Conflict when it was undone or the attempt settled meanwhile: the caller is a straggler and must remove what it made. */
  applied(effect: string, subject: string, result: unknown): Promise<void>;
  /**
   * For a transaction with the effect itself: fails it with Conflict when the intent was undone or the attempt settled
   * meanwhile. The task needs ConditionCheckItem on the table runs.
   */
  guard(effect: string, subject: string): TransactAction[];
  /** Succeeds when it never began. */
  undone(effect: string, subject: string): Promise<void>;
  /** Begun or applied and neither undone nor kept, newest first: the order in which to undo. */
  open(effect: string): Promise<Intent[]>;
  /** What an earlier, successful attempt of the run made: no undo may touch it. */
  kept(effect: string): Promise<Intent[]>;
  /** Undoing failed: remembered until the sweep settles it. True when it was not known yet. */
  debt(effect: string, subject: string, error: string): Promise<boolean>;
}

export interface EffectsOwner {
  tenant: string;
  id: string;
  /** Whose settlement ends it; 1 when left out, as in an envelope. */
  attempt?: number;
}

/**
 * `allowed` are the effects and undos that the task declares; another name is a bug. `undoneBy` is written into each intent,
 * so that settle-run needs no list of undos.
 */
export function openEffects(
  table: Table,
  run: EffectsOwner,
  now: () => number,
  allowed: readonly string[] | 'all' = 'all',
  undoneBy?: string,
): Effects {
  const keyOf = (effect: string, subject: string) => ({
    pk: runKey(run.tenant, run.id),
    sk: `effect#${effect}#${subject}`,
  });
  const check = (effect: string): void => {
    if (allowed !== 'all' && !allowed.includes(effect))
      throw new Error(`The task does not declare the effect ${effect}.`);
  };

  const settlement = settlementKey({ tenant: run.tenant, runId: run.id, attempt: run.attempt ?? 1 });
  const still = unsettled(table, run);

  const rowsOf = async (effect: string): Promise<Intent[]> => {
    check(effect);
    const rows = await table.queryAll({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :effect)',
      ExpressionAttributeValues: { ':pk': runKey(run.tenant, run.id), ':effect': `effect#${effect}#` },
      ConsistentRead: true,
    });
    return newestFirst(rows.map(toIntent));
  };

  return {
    key(effect, subject) {
      check(effect);
      return `${run.id}/${effect}/${subject}`;
    },
    async begin(effect, subject, details) {
      check(effect);
      const Item: Item = {
        ...keyOf(effect, subject),
        effect,
        subject,
        status: 'begun',
        details: details ?? null,
        begunAt: new Date(now()).toISOString(),
        undoneBy,
        expiresAt: retainedUntil(now()),
      };
      try {
        await table.transact([
          {
            Put: {
              Item,
              ConditionExpression: 'attribute_not_exists(pk) OR #status = :undone',
              ExpressionAttributeNames: { '#status': 'status' },
              ExpressionAttributeValues: { ':undone': 'undone' },
            },
          },
          still,
        ]);
        return { status: 'new', details };
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const existing = await table.get(keyOf(effect, subject));
        if (existing === undefined) throw error;
        const intent = toIntent(existing);
        if (intent.status === 'undone' || (await table.get(settlement)) !== undefined) throw error;
        return {
          status: intent.status === 'kept' ? 'applied' : intent.status,
          details: intent.details,
          ...('result' in intent ? { result: intent.result } : {}),
        };
      }
    },
    async applied(effect, subject, result) {
      check(effect);
      await table.transact([
        {
          Update: {
            Key: keyOf(effect, subject),
            UpdateExpression: 'SET #status = :applied, #result = :result',
            ConditionExpression: '#status IN (:begun, :applied)',
            ExpressionAttributeNames: { '#status': 'status', '#result': 'result' },
            ExpressionAttributeValues: {
              ':applied': 'applied',
              ':begun': 'begun',
              ':result': result ?? null,
            },
          },
        },
        // The undo may have looked already, and be about to mark as undone what it did not see.
        still,
      ]);
    },
    guard(effect, subject) {
      check(effect);
      return [
        {
          ConditionCheck: {
            TableName: table.name,
            Key: keyOf(effect, subject),
            ConditionExpression: '#status <> :undone',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: { ':undone': 'undone' },
          },
        },
        still,
      ];
    },
    async undone(effect, subject) {
      check(effect);
      try {
        await table.update({
          Key: keyOf(effect, subject),
          UpdateExpression: 'SET #status = :undone, undoneAt = :now',
          ConditionExpression: '#status IN (:begun, :applied)',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':undone': 'undone',
            ':begun': 'begun',
            ':applied': 'applied',
            ':now': new Date(now()).toISOString(),
          },
        });
        emitMetric('saga_compensations_total', 1, { reason: effect });
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    },
    open: async (effect) => (await rowsOf(effect)).filter(isOpen),
    kept: async (effect) => (await rowsOf(effect)).filter(({ status }) => status === 'kept'),
    async debt(effect, subject, error) {
      check(effect);
      return recordDebt(table, { tenant: run.tenant, runId: run.id, effect, subject, error }, now());
    },
  };
}

/** Everything a run did and neither undid nor kept, newest first: what settle-run acts on. */
export async function openIntents(table: Pick<Table, 'queryAll'>, run: EffectsOwner): Promise<Intent[]> {
  return newestFirst(await intentsOf(table, run)).filter(isOpen);
}

/**
 * The run succeeded: what it made stays, whatever a later attempt does. All or nothing; a repeat changes nothing.
 * A run has at most 99 effects that are not kept yet (the size of a transaction).
 * @throws Conflict once the attempt is being settled: what it made is being undone.
 */
export async function keepIntents(
  table: Pick<Table, 'name' | 'queryAll' | 'transact'>,
  run: EffectsOwner,
): Promise<void> {
  const applied = (await intentsOf(table, run)).filter(({ status }) => status === 'applied');
  if (applied.length === 0) return;
  const kept = applied.map(({ effect, subject }) => ({
    Update: {
      Key: { pk: runKey(run.tenant, run.id), sk: `effect#${effect}#${subject}` },
      UpdateExpression: 'SET #status = :kept',
      ConditionExpression: '#status = :applied',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':kept': 'kept', ':applied': 'applied' },
    },
  }));
  await table.transact([...kept, unsettled(table, run)]);
}

/** Fails a transaction with Conflict once somebody settles the attempt. */
function unsettled(table: Pick<Table, 'name'>, { tenant, id, attempt = 1 }: EffectsOwner): TransactAction {
  return {
    ConditionCheck: {
      TableName: table.name,
      Key: settlementKey({ tenant, runId: id, attempt }),
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
}

/** Has an attempt of the run succeeded, so that what it made stays? */
export async function hasKept(table: Pick<Table, 'queryAll'>, run: EffectsOwner): Promise<boolean> {
  return (await intentsOf(table, run)).some(({ status }) => status === 'kept');
}

async function intentsOf(table: Pick<Table, 'queryAll'>, run: EffectsOwner): Promise<Intent[]> {
  const rows = await table.queryAll({
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :effect)',
    ExpressionAttributeValues: { ':pk': runKey(run.tenant, run.id), ':effect': 'effect#' },
    ConsistentRead: true,
  });
  return rows.map(toIntent);
}

function isOpen({ status }: Intent): boolean {
  return status === 'begun' || status === 'applied';
}

// Begun in the same millisecond: by subject, so that the order is always the same.
function newestFirst(intents: Intent[]): Intent[] {
  return intents.toSorted((a, b) => b.begunAt.localeCompare(a.begunAt) || b.subject.localeCompare(a.subject));
}

function toIntent(row: Item): Intent {
  const status = row['status'] as Intent['status'];
  return {
    effect: String(row['effect']),
    subject: String(row['subject']),
    status,
    details: row['details'],
    ...(row['result'] === undefined ? {} : { result: row['result'] }),
    begunAt: String(row['begunAt']),
    ...(typeof row['undoneBy'] === 'string' ? { undoneBy: row['undoneBy'] } : {}),
  };
}
