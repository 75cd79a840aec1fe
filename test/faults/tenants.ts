// How does every run of a test get a tenant and an ad account of its own?
import { DEFAULT_ACCOUNT, type SandboxAccount } from '../../lib/sandbox/meta/accounts.ts';
import { Settings } from '../../lambdas/runtime/settings-schema.ts';
import type { World } from '../../lib/laptop/world.ts';

/** Connects the tenant to an empty account that no other tenant has; the n-th tenant of a world gets the n-th account. */
export async function newTenant(
  world: World,
  tenant: string,
  n: number,
  settings: Partial<Settings> = {},
): Promise<SandboxAccount> {
  const account = { ...DEFAULT_ACCOUNT, id: String(5_000_000_000_000_000 + n), name: `Account of ${tenant}` };
  world.sandbox.meta.addAccount(account);
  const { adAccounts } = Settings.parse({
    adAccounts: [
      {
        id: account.id,
        currency: account.currency,
        timeZone: account.timeZone,
        pageId: String(account.pageIds[0]),
        pixelId: String(account.pixelIds[0]),
        secret: `tenants/${tenant}/meta`,
      },
    ],
  });
  await world.connect(tenant, { adAccounts, ...settings });
  return account;
}
