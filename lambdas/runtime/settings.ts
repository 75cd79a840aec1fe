// What has a tenant chosen, and which of the outside world's ids are theirs?
//
// Table settings. `<tenant>#settings`, sk `current`, and every version as sk `version#<6 digits>`.
// Reverse look-ups, one partition per kind: `platform#hubspot-portal` + portal id, `platform#ad-account` + account id (each
// belongs to one tenant), `platform#drive-folder` + `<tenant>#<folder id>` (watched), `platform#tenant` + tenant.
import { InvalidInput } from './errors.ts';
import type { Need } from './need.ts';
import { Settings, type AdAccount } from './settings-schema.ts';
import { tableNeed, type Item, type Table } from './table.ts';

// Their callers know these by this file's name.
export { Settings, type AdAccount } from './settings-schema.ts';
export { openSettingsWriter } from './settings-writer.ts';

export interface VersionedSettings {
  settings: Settings;
  /** 0 while nothing was ever saved. */
  version: number;
  /** ISO 8601; empty at version 0. */
  changedAt: string;
  changedBy: string;
}

export interface SettingsReader {
  /** Defaults while nothing was saved. */
  get(tenant: string): Promise<Settings>;
  current(tenant: string): Promise<VersionedSettings>;
  /** @throws InvalidInput for a portal that no tenant connected: webhooks are refused, never given to a default. */
  tenantOfPortal(portalId: string): Promise<string>;
  /** @throws InvalidInput when the account is not the tenant's; without an id the first one, @throws InvalidInput when there is none. */
  adAccount(tenant: string, accountId?: string): Promise<AdAccount>;
  /** Watched Drive folders of all tenants. */
  watchedFolders(): Promise<{ tenant: string; folderId: string }[]>;
  tenants(): Promise<string[]>;
}

const readTable = tableNeed('settings', ['GetItem']);
const listTable = tableNeed('settings', ['GetItem', 'Query']);

/** What a tenant chose; for one tenant at a time. */
export const settingsNeed: Need<SettingsReader> = {
  ...readTable,
  open: (env, context) => openSettings(readTable.open(env, context)),
};

/** Also the lists over all tenants: for schedules and sweeps. */
export const allSettingsNeed: Need<SettingsReader> = {
  ...listTable,
  open: (env, context) => openSettings(listTable.open(env, context)),
};

export function openSettings(table: Table): SettingsReader {
  const reader: SettingsReader = {
    async get(tenant) {
      return (await reader.current(tenant)).settings;
    },
    async current(tenant) {
      const row = await table.get({ pk: settingsKey(tenant), sk: 'current' });
      if (row === undefined)
        return { settings: Settings.parse({}), version: 0, changedAt: '', changedBy: '' };
      return {
        settings: Settings.parse(row['settings']),
        version: Number(row['version']),
        changedAt: String(row['changedAt']),
        changedBy: String(row['changedBy']),
      };
    },
    async tenantOfPortal(portalId) {
      const row = await table.get({ pk: 'platform#hubspot-portal', sk: portalId });
      if (row === undefined)
        throw new InvalidInput(`No tenant connected the HubSpot portal ${portalId}.`, { path: 'portalId' });
      return String(row['tenant']);
    },
    async adAccount(tenant, accountId) {
      const { adAccounts } = await reader.get(tenant);
      const account = accountId === undefined ? adAccounts[0] : adAccounts.find(({ id }) => id === accountId);
      if (account === undefined) {
        const what =
          accountId === undefined
            ? 'No ad account is connected'
            : `The ad account ${accountId} is not connected`;
        throw new InvalidInput(`${what}: add it to the settings first.`, { path: 'adAccountId' });
      }
      return account;
    },
    async watchedFolders() {
      const rows = await partition(table, 'platform#drive-folder');
      return rows.map((row) => ({ tenant: String(row['tenant']), folderId: String(row['value']) }));
    },
    async tenants() {
      return (await partition(table, 'platform#tenant')).map((row) => row.sk);
    },
  };
  return reader;
}

async function partition(table: Pick<Table, 'queryAll'>, pk: string): Promise<Item[]> {
  return table.queryAll({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } });
}

export function settingsKey(tenant: string): string {
  return `${tenant}#settings`;
}
