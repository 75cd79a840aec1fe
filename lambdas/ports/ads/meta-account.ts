// What does Meta say of an ad account, and of an object that it does not know?
import * as z from 'zod';
import { shaped } from '../shaped.ts';
import { isUnknownObject } from './meta-errors.ts';
import type { Graph } from './meta-graph.ts';
import { fromMeta } from './meta-money.ts';
import type { AdAccount } from './publisher.ts';

const Account = z.object({
  id: z.string(),
  name: z.string().default(''),
  currency: z.string(),
  timezone_name: z.string(),
  account_status: z.number(),
  min_daily_budget: z.coerce.number(),
});

const ACTIVE_ACCOUNT = 1;

/** `accountId`: digits, without `act_`. */
export async function readAccount(graph: Graph, accountId: string): Promise<AdAccount> {
  const fields = 'id,name,currency,timezone_name,account_status,min_daily_budget';
  const found = shaped(
    Account,
    await graph.call('read account', 'GET', `act_${accountId}`, { fields }),
    'Meta: read account',
  );
  return {
    id: accountId,
    name: found.name,
    currency: found.currency,
    timeZone: found.timezone_name,
    canAdvertise: found.account_status === ACTIVE_ACCOUNT,
    minDailyBudget: fromMeta(found.min_daily_budget, found.currency),
  };
}

/** The answer, or null for what the vendor does not know or does not show to this token. */
export async function unlessUnknown(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (isUnknownObject(error)) return null;
    throw error;
  }
}
