// What does each ad account have left, for everyone who works on it?
//
// Table limits. pk `<tenant>#ledger`, sk the account id: the ledger as JSON text and its version. pk `<tenant>#lock`: locks.ts.
import { Conflict, Unavailable } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table, type TableAction } from '../runtime/table.ts';
import { EMPTY_LEDGER, type Ledger } from './ledger.ts';

export interface Ledgers {
  get(tenant: string, accountId: string): Promise<Ledger>;
  /**
   * Reads, decides and writes in one: when somebody else wrote in between, `next` decides again on what they left. Without a
   * `ledger` in its answer nothing is written. @throws Unavailable when others are faster ten times in a row.
   */
  change<T>(
    tenant: string,
    accountId: string,
    next: (ledger: Ledger) => { ledger?: Ledger; answer: T },
  ): Promise<T>;
}

const ATTEMPTS = 10;

export function ledgersNeed(...actions: readonly TableAction[]): Need<Ledgers> {
  const table = tableNeed('limits', actions);
  return { ...table, open: (env, context) => openLedgers(table.open(env, context)) };
}

export function openLedgers(table: Pick<Table, 'get' | 'put'>): Ledgers {
  const key = (tenant: string, accountId: string) => ({ pk: `${tenant}#ledger`, sk: accountId });
  const read = async (tenant: string, accountId: string): Promise<{ ledger: Ledger; version: number }> => {
    const item = await table.get(key(tenant, accountId));
    return item === undefined
      ? { ledger: EMPTY_LEDGER, version: 0 }
      : { ledger: JSON.parse(String(item['ledger'])) as Ledger, version: Number(item['version']) };
  };
  return {
    get: async (tenant, accountId) => (await read(tenant, accountId)).ledger,
    async change(tenant, accountId, next) {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const { ledger: before, version } = await read(tenant, accountId);
        const { ledger, answer } = next(before);
        if (ledger === undefined) return answer;
        try {
          await table.put({
            Item: { ...key(tenant, accountId), ledger: JSON.stringify(ledger), version: version + 1 },
            ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
            ...(version === 0 ? {} : { ExpressionAttributeValues: { ':version': version } }),
          });
          return answer;
        } catch (error) {
          if (!(error instanceof Conflict)) throw error;
        }
      }
      throw new Unavailable(
        `The limits of account ${accountId} are being written by others faster than this step can follow.`,
      );
    },
  };
}
