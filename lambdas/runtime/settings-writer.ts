// How are settings changed, so that nobody overwrites anybody and everybody can see who did it?
import { auditActions, chainMessage, type AuditRecord, type ChainMessage } from './audit.ts';
import { Conflict, InvalidInput } from './errors.ts';
import type { Need } from './need.ts';
import type { Settings } from './settings-schema.ts';
import { openSettings, settingsKey, type SettingsReader } from './settings.ts';
import { tableNeed, type Table, type TransactAction } from './table.ts';

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
