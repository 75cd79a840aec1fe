// Who is settling this attempt of a run, and what of it is done?
//
// Table runs, pk `<tenant>#run#<runId>`, sk `settlement#<attempt>`: leaseUntil (epoch ms), reported, settled.
import { Conflict } from './errors.ts';
import { retainedUntil, runKey } from './run-keys.ts';
import type { Table } from './table.ts';

export interface Attempt {
  tenant: string;
  runId: string;
  attempt: number;
}

export interface Settlement {
  /** Undefined when the attempt is settled. @throws Conflict while another invocation settles it. */
  claim(attempt: Attempt, leaseMs: number): Promise<{ reported: boolean } | undefined>;
  /** The failure was announced and is a dead letter; a repeat leaves that out. */
  reported(attempt: Attempt): Promise<void>;
  settled(attempt: Attempt): Promise<void>;
  /** Gives the claim back, so that a repeat need not wait for the lease. */
  release(attempt: Attempt): Promise<void>;
  /** Is somebody undoing what the attempt did, right now? */
  busy(attempt: Attempt): Promise<boolean>;
}

/** Written by the first claim, before anything is undone, and there for good: from then on the attempt begins nothing. */
export function settlementKey({ tenant, runId, attempt }: Attempt): { pk: string; sk: string } {
  return { pk: runKey(tenant, runId), sk: `settlement#${attempt}` };
}

export function openSettlement(table: Pick<Table, 'get' | 'update'>, now: () => number): Settlement {
  const set = async (attempt: Attempt, field: 'reported' | 'settled'): Promise<void> => {
    await table.update({
      Key: settlementKey(attempt),
      UpdateExpression: 'SET #field = :true',
      ExpressionAttributeNames: { '#field': field },
      ExpressionAttributeValues: { ':true': true },
    });
  };
  return {
    async claim(attempt, leaseMs) {
      try {
        const row = await table.update({
          Key: settlementKey(attempt),
          UpdateExpression: 'SET leaseUntil = :until, expiresAt = :expires',
          ConditionExpression:
            'attribute_not_exists(settled) AND (attribute_not_exists(leaseUntil) OR leaseUntil <= :now)',
          ExpressionAttributeValues: {
            ':now': now(),
            ':until': now() + leaseMs,
            ':expires': retainedUntil(now()),
          },
          ReturnValues: 'ALL_NEW',
        });
        return { reported: row['reported'] === true };
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const row = await table.get(settlementKey(attempt));
        if (row?.['settled'] === true) return undefined;
        throw new Conflict(`Attempt ${attempt.attempt} of ${attempt.runId} is being settled right now.`, {
          cause: error,
        });
      }
    },
    reported: (attempt) => set(attempt, 'reported'),
    settled: (attempt) => set(attempt, 'settled'),
    async release(attempt) {
      await table.update({ Key: settlementKey(attempt), UpdateExpression: 'REMOVE leaseUntil' });
    },
    async busy(attempt) {
      const row = await table.get(settlementKey(attempt));
      return row !== undefined && row['settled'] !== true && Number(row['leaseUntil'] ?? 0) > now();
    },
  };
}
