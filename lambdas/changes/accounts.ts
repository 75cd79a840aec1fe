// Which ad accounts are there to look after?
import type { SettingsReader } from '../runtime/settings.ts';

/** Accounts looked after at the same time: a thousand are done within the minute. */
export const AT_ONCE = 10;

/** Of every tenant. */
export async function accountsOf(
  settings: Pick<SettingsReader, 'tenants' | 'get'>,
): Promise<{ tenant: string; accountId: string }[]> {
  const accounts: { tenant: string; accountId: string }[] = [];
  for (const tenant of await settings.tenants()) {
    const { adAccounts } = await settings.get(tenant);
    accounts.push(...adAccounts.map(({ id }) => ({ tenant, accountId: id })));
  }
  return accounts;
}
