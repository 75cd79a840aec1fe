// What could not be undone, and is owed until the sweep has settled it?
//
// Table runs, pk `platform#debts`, sk `<tenant>#<runId>#<effect>#<subject>`; few by nature.
import { Conflict } from './errors.ts';
import { emitMetric } from './metrics.ts';
import type { Table } from './table.ts';

export interface Debt {
  tenant: string;
  runId: string;
  effect: string;
  subject: string;
  error: string;
  /** ISO 8601. */
  recordedAt: string;
}

const DEBTS = 'platform#debts';
/** Longer reasons are cut: they are read by people. */
const ERROR_LIMIT = 4_000;

/** True when it was not known yet; only then is it counted. */
export async function recordDebt(
  table: Pick<Table, 'put'>,
  owed: Omit<Debt, 'recordedAt'>,
  nowMs: number,
): Promise<boolean> {
  const debt: Debt = {
    ...owed,
    error: owed.error.slice(0, ERROR_LIMIT),
    recordedAt: new Date(nowMs).toISOString(),
  };
  try {
    await table.put({
      Item: { pk: DEBTS, sk: debtKey(debt), ...debt },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  } catch (failure) {
    if (failure instanceof Conflict) return false;
    throw failure;
  }
  emitMetric('compensation_debt_total', 1, { effect: debt.effect });
  return true;
}

/** Oldest first. */
export async function listDebts(table: Pick<Table, 'queryAll'>): Promise<Debt[]> {
  const rows = await table.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': DEBTS },
    ConsistentRead: true,
  });
  const debts = rows.map(({ pk: _pk, sk: _sk, ...debt }) => debt as unknown as Debt);
  return debts.toSorted((a, b) => a.recordedAt.localeCompare(b.recordedAt));
}

export async function settleDebt(table: Pick<Table, 'delete'>, debt: Debt): Promise<void> {
  await table.delete({ Key: { pk: DEBTS, sk: debtKey(debt) } });
}

function debtKey(debt: Omit<Debt, 'error' | 'recordedAt'>): string {
  return `${debt.tenant}#${debt.runId}#${debt.effect}#${debt.subject}`;
}
