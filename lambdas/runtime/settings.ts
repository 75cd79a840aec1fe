// What has a tenant chosen, and which of the outside world's ids are theirs?
//
// Table settings. `<tenant>#settings`, sk `current`, and every version as sk `version#<6 digits>`.
// Reverse look-ups, one partition per kind: `platform#hubspot-portal` + portal id, `platform#ad-account` + account id (each
// belongs to one tenant), `platform#drive-folder` + `<tenant>#<folder id>` (watched), `platform#tenant` + tenant.
import * as z from 'zod';
import { auditActions, chainMessage, type AuditRecord, type ChainMessage } from './audit.ts';
import { Conflict, InvalidInput } from './errors.ts';
import { currencyExponent } from './money.ts';
import type { Need } from './need.ts';
import { tableNeed, type Item, type Table, type TransactAction } from './table.ts';

const Currency = z.string().refine((code) => isCurrency(code), 'is not an ISO 4217 currency code');
const TimeZone = z
  .string()
  .refine((zone) => isTimeZone(zone), 'is not an IANA time zone such as Europe/Berlin');
const SecretRef = z
  .string()
  .regex(/^tenants\/[a-z0-9-]+\/[a-z0-9-]+$/, 'is not a secret reference such as tenants/acme/meta');
const count = (low: number, high: number, usual: number) =>
  z.number().int().min(low).max(high).default(usual);

export const AdAccount = z.strictObject({
  /** Digits, without `act_`. */
  id: z.string().regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)'),
  currency: Currency,
  timeZone: TimeZone,
  /** Page that the ads speak for. */
  pageId: z.string().regex(/^\d{5,20}$/, 'is not a page id (digits)'),
  secret: SecretRef,
  /** Counts what people do on the advertiser's site; with one, launches aim at sales. */
  pixelId: z
    .string()
    .regex(/^\d{5,20}$/, 'is not a pixel id (digits)')
    .optional(),
  conversionEvent: z.string().max(60).default('PURCHASE'),
  /** Where launches are shown, ISO 3166 alpha-2. */
  countries: z.array(z.string().length(2)).min(1).max(50).default(['US']),
  ageMin: z.number().int().min(18).max(65).default(18),
  ageMax: z.number().int().min(18).max(65).default(65),
  /** Legally special subjects (`HOUSING`, `CREDIT`, `EMPLOYMENT`). */
  specialAdCategories: z.array(z.string().max(40)).max(5).default([]),
  /** Of a new launch, minor units of the account's currency; the tenant's own when absent. */
  dailyBudgetMinor: z.number().int().min(100).max(100_000_000).optional(),
});
export type AdAccount = z.infer<typeof AdAccount>;

export const Settings = z.strictObject({
  niche: z.string().max(80).default('general'),
  currency: Currency.default('USD'),
  timeZone: TimeZone.default('UTC'),
  /** The first one is used when a request names none. */
  adAccounts: z.array(AdAccount).max(20).default([]),
  /** Vendor → secret reference. */
  connections: z
    .strictObject({ drive: SecretRef.optional(), hubspot: SecretRef.optional(), slack: SecretRef.optional() })
    .default({}),
  hubspotPortalIds: z
    .array(z.string().regex(/^\d{1,20}$/, 'is not a portal id (digits)'))
    .max(10)
    .default([]),
  /** Each new video in one of these becomes ads for the brief. */
  driveFolders: z
    .array(
      z.strictObject({ id: z.string().regex(/^[\w-]{3,128}$/), brief: z.record(z.string(), z.unknown()) }),
    )
    .max(10)
    .default([]),
  council: z
    .strictObject({
      /** Approved at this score or above, 0..100. */
      threshold: z.number().min(0).max(100).default(85),
      /** Points between the highest and the lowest judge beyond which a person decides. */
      maximumDisagreement: z.number().min(0).max(100).default(40),
      minimumApproved: count(1, 10, 3),
    })
    .prefault({}),
  /** What the account usually does; forecasts start from it. */
  forecastBaseline: z
    .strictObject({
      roas: z.number().positive().max(100).default(1),
      ctrPercent: z.number().positive().max(100).default(1),
    })
    .prefault({}),
  /** Minor units of `currency`. */
  dailyBudgetMinor: count(100, 100_000_000, 2_000),
  limits: z.strictObject({ runsPerDay: count(1, 10_000, 100), openRuns: count(1, 1_000, 20) }).prefault({}),
  /** `held`: a person approves each launch. */
  goLive: z.enum(['held', 'auto']).default('held'),
  /** May patterns learned here help other tenants? */
  crossLearning: z.boolean().default(false),
});
export type Settings = z.infer<typeof Settings>;

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

export interface SettingsWriter {
  /**
   * One transaction: settings, version, look-ups and the audit record. Returns what to send to the chaining queue.
   * @throws Conflict when `expectedVersion` is not the current one; InvalidInput when an account or portal belongs to another tenant or a
   * secret reference is another tenant's.
   */
  save(change: {
    tenant: string;
    expectedVersion: number;
    settings: Settings;
    actor: string;
    nowMs: number;
  }): Promise<{ version: number; chain: ChainMessage }>;
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

const writeTable = tableNeed('settings', ['GetItem', 'PutItem', 'DeleteItem']);
const auditTable = tableNeed('audit', ['PutItem']);

/** Reads and saves one tenant's settings. */
export const settingsWriterNeed: Need<SettingsReader & SettingsWriter> = {
  grants: [...writeTable.grants, ...auditTable.grants],
  env: { ...writeTable.env, ...auditTable.env },
  open(env, context) {
    const table = writeTable.open(env, context);
    return { ...openSettings(table), ...openSettingsWriter(table, auditTable.open(env, context).name) };
  },
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

export function openSettingsWriter(table: Table, auditTableName: string): SettingsWriter {
  return {
    async save({ tenant, expectedVersion, settings, actor, nowMs }) {
      const foreign = secretsOf(settings).find(({ secret }) => !secret.startsWith(`tenants/${tenant}/`));
      if (foreign !== undefined)
        throw new InvalidInput(`The secret reference ${foreign.secret} is not ${tenant}'s.`, {
          path: foreign.path,
        });
      const before = await openSettings(table).current(tenant);
      const stale = new Conflict(
        `The settings are at version ${before.version}, not ${expectedVersion}: read them again.`,
      );
      if (before.version !== expectedVersion) throw stale;

      const version = expectedVersion + 1;
      const changedAt = new Date(nowMs).toISOString();
      const row = { settings, version, changedAt, changedBy: actor };
      const record: AuditRecord = {
        tenant,
        id: `settings-${version}`,
        at: changedAt,
        actor,
        action: 'settings.changed',
        subject: `settings/${version}`,
        details: { before: before.version === 0 ? null : before.settings, after: settings },
      };
      const lookUps = lookUpActions(tenant, before.settings, settings);
      const actions: TransactAction[] = [
        {
          Put: {
            Item: { pk: settingsKey(tenant), sk: 'current', ...row },
            ConditionExpression: expectedVersion === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
            ...(expectedVersion === 0 ? {} : { ExpressionAttributeValues: { ':version': expectedVersion } }),
          },
        },
        {
          Put: {
            Item: { pk: settingsKey(tenant), sk: `version#${String(version).padStart(6, '0')}`, ...row },
          },
        },
        { Put: { Item: { pk: 'platform#tenant', sk: tenant } } },
        ...auditActions(auditTableName, record),
        ...lookUps.actions,
      ];
      try {
        await table.transact(actions);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        for (const claim of lookUps.claims) {
          const owner = (await table.get({ pk: claim.pk, sk: claim.sk }))?.['tenant'];
          if (owner !== undefined && owner !== tenant) {
            throw new InvalidInput(`${claim.what} ${claim.sk} is connected to another tenant.`, {
              path: claim.path,
              cause: error,
            });
          }
        }
        throw stale;
      }
      return { version, chain: chainMessage(record) };
    },
  };
}

interface LookUp {
  pk: string;
  sk: string;
  value: string;
  what: string;
  path: string;
  /** Only one tenant may have it. */
  exclusive: boolean;
}

function lookUpsOf(tenant: string, settings: Settings): LookUp[] {
  return [
    ...settings.hubspotPortalIds.map((id) => ({
      pk: 'platform#hubspot-portal',
      sk: id,
      value: id,
      what: 'The HubSpot portal',
      path: 'hubspotPortalIds',
      exclusive: true,
    })),
    ...settings.adAccounts.map(({ id }) => ({
      pk: 'platform#ad-account',
      sk: id,
      value: id,
      what: 'The ad account',
      path: 'adAccounts',
      exclusive: true,
    })),
    ...settings.driveFolders.map(({ id }) => ({
      pk: 'platform#drive-folder',
      sk: `${tenant}#${id}`,
      value: id,
      what: 'The folder',
      path: 'driveFolders',
      exclusive: false,
    })),
  ];
}

function lookUpActions(
  tenant: string,
  before: Settings,
  after: Settings,
): { actions: TransactAction[]; claims: LookUp[] } {
  const unique = (list: LookUp[]): Map<string, LookUp> =>
    new Map(list.map((one) => [`${one.pk} ${one.sk}`, one]));
  const had = unique(lookUpsOf(tenant, before));
  const has = unique(lookUpsOf(tenant, after));
  const claims = [...has].filter(([key]) => !had.has(key)).map(([, one]) => one);
  const gone = [...had].filter(([key]) => !has.has(key)).map(([, one]) => one);
  return {
    claims: claims.filter(({ exclusive }) => exclusive),
    actions: [
      ...claims.map(({ pk, sk, value }) => ({
        Put: {
          Item: { pk, sk, tenant, value },
          ConditionExpression: 'attribute_not_exists(pk) OR tenant = :tenant',
          ExpressionAttributeValues: { ':tenant': tenant },
        },
      })),
      ...gone.map(({ pk, sk }) => ({ Delete: { Key: { pk, sk } } })),
    ],
  };
}

function secretsOf(settings: Settings): { path: string; secret: string }[] {
  const vendors = Object.entries(settings.connections).map(([vendor, secret]) => ({
    path: `connections.${vendor}`,
    secret,
  }));
  const accounts = settings.adAccounts.map(({ secret }, index) => ({
    path: `adAccounts.${index}.secret`,
    secret,
  }));
  return [...vendors, ...accounts].flatMap(({ path, secret }) =>
    secret === undefined ? [] : [{ path, secret }],
  );
}

async function partition(table: Pick<Table, 'queryAll'>, pk: string): Promise<Item[]> {
  return table.queryAll({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } });
}

function settingsKey(tenant: string): string {
  return `${tenant}#settings`;
}

function isCurrency(code: string): boolean {
  try {
    currencyExponent(code);
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
