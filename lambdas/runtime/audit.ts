// Who did what, in a record that cannot be changed afterwards without it showing?
//
// Table audit. Partition `<tenant>#audit`, append-only but for the head:
//   sk `record#<at>#<id>`   what happened, with its own hash           sk `link#<seq, 12 digits>`   the chain
//   sk `head`               sequence number and hash of the last link
// Partition `platform#unchained`, sk `<tenant>#<record sk>`: records not yet in a chain; removed by the link's transaction.
import * as z from 'zod';
import { hashOf, sha256 } from './canonical.ts';
import { Conflict } from './errors.ts';
import type { Key, Table, TransactAction } from './table.ts';

export const AuditRecord = z.object({
  tenant: z.string(),
  /** Unique within the tenant; the same id is the same event, written once. */
  id: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** A person's subject from the token, or `task:<name>`. */
  actor: z.string(),
  /** `settings.changed`, `change.applied`, … */
  action: z.string(),
  /** What it was done to. */
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

export interface StoredRecord extends AuditRecord {
  /** SHA-256 of the canonical record. */
  hash: string;
}

export interface AuditLink {
  /** From 1, without gaps. */
  seq: number;
  /** Sort key of the record. */
  record: string;
  /** The record's own hash. */
  hash: string;
  /** Link before; empty for the first. */
  previous: string;
  /** SHA-256 over seq, previous and hash. */
  link: string;
}

/** A message to the chaining consumer: FIFO, group = tenant, deduplicated by the record. */
export const ChainMessage = z.object({ tenant: z.string(), record: z.string(), hash: z.string() });
export type ChainMessage = z.infer<typeof ChainMessage>;

const UNCHAINED = 'platform#unchained';

/** The two writes of one record, for the transaction that does what it records. */
export function auditActions(table: string, record: AuditRecord): TransactAction[] {
  const { tenant, record: sk, hash } = chainMessage(record);
  return [
    {
      Put: {
        TableName: table,
        Item: { ...record, pk: auditKey(tenant), sk, hash },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    },
    {
      Put: {
        TableName: table,
        Item: { pk: UNCHAINED, sk: `${tenant}#${sk}`, tenant, record: sk, hash, at: record.at },
      },
    },
  ];
}

/** What to send to the chaining queue once the record is stored. */
export function chainMessage(record: AuditRecord): ChainMessage {
  return { tenant: record.tenant, record: `record#${record.at}#${record.id}`, hash: hashOf(record) };
}

/** Stores one record; false when it was there already. */
export async function storeRecord(table: Table, record: AuditRecord): Promise<boolean> {
  try {
    await table.transact(auditActions(table.name, record));
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

/** Adds a stored record to its tenant's chain, once; false when it was in it already. @throws Conflict when another consumer was faster. */
export async function chainRecord(table: Table, message: ChainMessage): Promise<boolean> {
  const pending: Key = { pk: UNCHAINED, sk: `${message.tenant}#${message.record}` };
  if ((await table.get(pending)) === undefined) return false;
  const pk = auditKey(message.tenant);
  const head = await table.get({ pk, sk: 'head' });
  const seq = Number(head?.['seq'] ?? 0) + 1;
  const previous = typeof head?.['link'] === 'string' ? head['link'] : '';
  const link = linkHash(seq, previous, message.hash);
  await table.transact([
    { Delete: { Key: pending, ConditionExpression: 'attribute_exists(pk)' } },
    {
      Put: {
        Item: { pk, sk: linkKey(seq), seq, record: message.record, hash: message.hash, previous, link },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    },
    {
      Update: {
        Key: { pk, sk: 'head' },
        UpdateExpression: 'SET seq = :seq, link = :link',
        ConditionExpression: head === undefined ? 'attribute_not_exists(pk)' : 'seq = :before',
        ExpressionAttributeValues: {
          ':seq': seq,
          ':link': link,
          ...(head === undefined ? {} : { ':before': seq - 1 }),
        },
      },
    },
  ]);
  return true;
}

/** Records of all tenants that no chain holds yet, oldest first within a tenant: sent again by a sweep. */
export async function unchained(table: Pick<Table, 'queryAll'>): Promise<(ChainMessage & { at: string })[]> {
  const rows = await table.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': UNCHAINED },
    ConsistentRead: true,
  });
  return rows.map((row) => ({ ...ChainMessage.parse(row), at: String(row['at']) }));
}

export interface AuditLog {
  records: StoredRecord[];
  links: AuditLink[];
  /** What the chain ends with; undefined while there is none. */
  head?: { seq: number; link: string };
}

/** A tenant's whole log, for `verifyAudit`. */
export async function readAudit(table: Pick<Table, 'queryAll'>, tenant: string): Promise<AuditLog> {
  const rows = await table.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': auditKey(tenant) },
    ConsistentRead: true,
  });
  const having = (prefix: string): unknown =>
    rows.filter((row) => row.sk.startsWith(prefix)).map(withoutKeys);
  const [head] = having('head') as { seq: number; link: string }[];
  return {
    records: having('record#') as StoredRecord[],
    links: having('link#') as AuditLink[],
    ...(head === undefined ? {} : { head }),
  };
}

export interface AuditVerdict {
  valid: boolean;
  /** One sentence each; empty when valid. */
  problems: string[];
  chained: number;
  /** Records that wait to be chained: normal while young. */
  tail: { count: number; oldestAgeMs: number };
}

/** Was anything changed, removed, inserted or reordered? Pure: everything is computed again from the records. */
export function verifyAudit(log: AuditLog, nowMs: number): AuditVerdict {
  const problems: string[] = [];
  const byKey = new Map(log.records.map((record) => [`record#${record.at}#${record.id}`, record]));
  const seen = new Set<string>();
  let previous = '';
  log.links
    .toSorted((a, b) => a.seq - b.seq)
    .forEach((link, index) => {
      const name = `Link ${link.seq}`;
      if (link.seq !== index + 1) problems.push(`${name} stands where ${index + 1} belongs.`);
      if (link.previous !== previous) problems.push(`${name} does not follow the link before it.`);
      if (link.link !== linkHash(link.seq, link.previous, link.hash)) problems.push(`${name} was changed.`);
      if (seen.has(link.record)) problems.push(`${name} holds a record a second time.`);
      seen.add(link.record);
      const record = byKey.get(link.record);
      if (record === undefined) problems.push(`The record of ${name.toLowerCase()} is gone.`);
      else if (recordHash(record) !== link.hash)
        problems.push(`The record of ${name.toLowerCase()} was changed.`);
      previous = link.link;
    });
  if ((log.head?.link ?? '') !== previous) problems.push('The chain does not end where its head says.');
  const tail = log.records.filter((record) => !seen.has(`record#${record.at}#${record.id}`));
  for (const record of tail)
    if (recordHash(record) !== record.hash)
      problems.push(`The record ${record.id} was changed before it was chained.`);
  const ages = tail.map((record) => nowMs - Date.parse(record.at));
  return {
    valid: problems.length === 0,
    problems,
    chained: log.links.length,
    tail: { count: tail.length, oldestAgeMs: Math.max(0, ...ages) },
  };
}

function recordHash({ hash: _hash, ...record }: StoredRecord): string {
  return hashOf(record);
}

function linkHash(seq: number, previous: string, hash: string): string {
  return sha256(`${seq}\n${previous}\n${hash}`);
}

function auditKey(tenant: string): string {
  return `${tenant}#audit`;
}

function linkKey(seq: number): string {
  return `link#${String(seq).padStart(12, '0')}`;
}

function withoutKeys(row: Record<string, unknown>): Record<string, unknown> {
  const { pk: _pk, sk: _sk, ...rest } = row;
  return rest;
}
