// Which tables exist, and what are their keys?

export type TableName =
  | 'runs'
  | 'creatives'
  | 'predictions'
  | 'models'
  | 'changes'
  | 'limits'
  | 'history'
  | 'settings'
  | 'audit'
  | 'circuits';

export interface TableSpec {
  /** Whose repository file writes it. */
  owner: string;
  /** String partition key `pk` (starts with the tenant) and string sort key `sk` on every table. */
  indexes?: readonly { name: string; partitionKey: string; sortKey: string }[];
  stream?: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | 'KEYS_ONLY';
  /** Number attribute, epoch seconds. DynamoDB deletes late: code filters on it. */
  ttl?: string;
}

/** Read by the platform stack; each repository file says its access patterns at its top. */
export const TABLES: Readonly<Record<TableName, TableSpec>> = {
  runs: {
    owner: 'runtime/runs.ts',
    indexes: [
      { name: 'byTime', partitionKey: 'tenantPk', sortKey: 'startedAt' },
      { name: 'byOpen', partitionKey: 'openPk', sortKey: 'startedAt' },
    ],
    ttl: 'expiresAt',
  },
  creatives: {
    owner: 'creative/creatives.ts',
    indexes: [{ name: 'byRun', partitionKey: 'runPk', sortKey: 'sk' }],
    ttl: 'expiresAt',
  },
  predictions: { owner: 'creative/predictions.ts' },
  models: { owner: 'creative/models.ts' },
  changes: {
    owner: 'changes/changes.ts',
    indexes: [
      { name: 'byStatus', partitionKey: 'statusPk', sortKey: 'notBefore' },
      { name: 'byRank', partitionKey: 'accountPk', sortKey: 'rank' },
      { name: 'byEntity', partitionKey: 'entityPk', sortKey: 'createdSk' },
      { name: 'byTime', partitionKey: 'timePk', sortKey: 'createdSk' },
    ],
    stream: 'NEW_AND_OLD_IMAGES',
    ttl: 'expiresAtSeconds',
  },
  limits: { owner: 'changes/ledgers.ts', ttl: 'expiresAtSeconds' },
  history: { owner: 'changes/history.ts' },
  settings: { owner: 'runtime/settings.ts' },
  audit: { owner: 'runtime/audit.ts' },
  circuits: { owner: 'runtime/circuits.ts', ttl: 'expiresAt' },
};
