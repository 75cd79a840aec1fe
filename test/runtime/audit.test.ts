// Does any change to the audit log show?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  chainMessage,
  chainRecord,
  readAudit,
  storeRecord,
  unchained,
  verifyAudit,
  type AuditRecord,
} from '../../lambdas/runtime/audit.ts';
import { hashOf, sha256 } from '../../lambdas/runtime/canonical.ts';
import { trigger } from '../../lambdas/runtime/chain-audit.trigger.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
let table: Table;
beforeAll(async () => {
  plane = await startDataPlane();
  table = plane.open(tableNeed('audit', 'transact'));
});
afterAll(() => plane.cloud.close());

const record = (tenant: string, n: number): AuditRecord => ({
  tenant,
  id: `id-${n}`,
  at: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
  actor: 'ada',
  action: 'settings.changed',
  subject: `settings/${n}`,
  details: { n, nested: { list: [1, 'two', null] } },
});

async function chained(tenant: string, count: number) {
  for (let n = 1; n <= count; n += 1) {
    expect(await storeRecord(table, record(tenant, n))).toBe(true);
    await trigger.run(chainMessage(record(tenant, n)), { audit: table });
  }
  return readAudit(table, tenant);
}

const NOW = Date.UTC(2026, 0, 2);

describe('audit log', () => {
  it('is valid as written, and each record is stored and chained once however often it is delivered', async () => {
    const log = await chained('twice', 3);
    expect(await storeRecord(table, record('twice', 2))).toBe(false);
    expect(await chainRecord(table, chainMessage(record('twice', 2)))).toBe(false);
    expect(await readAudit(table, 'twice')).toEqual(log);
    expect(verifyAudit(log, NOW)).toEqual({
      valid: true,
      problems: [],
      chained: 3,
      tail: { count: 0, oldestAgeMs: 0 },
    });
    expect(log.links.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('reports the tail that waits to be chained, and lists it for the sweep', async () => {
    await storeRecord(table, record('tail', 5));
    expect(
      verifyAudit(await readAudit(table, 'tail'), Date.parse(record('tail', 5).at) + 7_000),
    ).toMatchObject({ valid: true, chained: 0, tail: { count: 1, oldestAgeMs: 7_000 } });
    expect(await unchained(table)).toEqual([
      { ...chainMessage(record('tail', 5)), at: record('tail', 5).at },
    ]);
    await chainRecord(table, chainMessage(record('tail', 5)));
    expect(await unchained(table)).toEqual([]);
  });

  it('never forks when two consumers chain at once', async () => {
    await storeRecord(table, record('fork', 1));
    await storeRecord(table, record('fork', 2));
    const results = await Promise.allSettled([
      chainRecord(table, chainMessage(record('fork', 1))),
      chainRecord(table, chainMessage(record('fork', 2))),
    ]);
    const names = results.map((result) =>
      result.status === 'rejected' ? (result.reason as Error).name : 'chained',
    );
    expect(names.filter((name) => !['chained', 'Conflict', 'Unavailable'].includes(name))).toEqual([]);
    for (const n of [1, 2]) await chainRecord(table, chainMessage(record('fork', n)));
    expect(verifyAudit(await readAudit(table, 'fork'), NOW)).toMatchObject({ valid: true, chained: 2 });
  });

  it('shows every single change, removal, insertion and swap', async () => {
    const log = await chained('tampered', 6);
    const ways = [
      'details',
      'actor',
      'remove record',
      'remove link',
      'rewrite hash',
      'forge',
      'swap',
      'repeat',
    ] as const;
    const places = log.links.flatMap((_, i) => log.links.map((__, j) => [i, j] as const));
    // Every case, not a sample: the removal of the last link shows only by the head.
    let tried = 0;
    for (const how of ways) {
      for (const [i, j] of places) {
        const copy = structuredClone(log);
        const [one, link] = [copy.records[i], copy.links[i]];
        const other = copy.links[j];
        if (one === undefined || link === undefined || other === undefined)
          throw new Error('the log is too short');
        if (how === 'details') one.details['n'] = -1;
        if (how === 'actor') one.actor = 'eve';
        if (how === 'remove record') copy.records.splice(i, 1);
        if (how === 'remove link') copy.links.splice(i, 1);
        if (how === 'rewrite hash') {
          one.details['n'] = -1;
          link.hash = 'f'.repeat(64);
        }
        if (how === 'forge') {
          // Someone who knows how links are made, and changes one record with its link.
          one.details['n'] = -1;
          const { hash: _hash, ...content } = one;
          one.hash = hashOf(content);
          link.hash = one.hash;
          link.link = sha256(`${link.seq}\n${link.previous}\n${link.hash}`);
        }
        if (how === 'swap') {
          if (i === j) continue;
          [link.record, other.record] = [other.record, link.record];
          [link.hash, other.hash] = [other.hash, link.hash];
        }
        if (how === 'repeat') copy.links.push({ ...link, seq: copy.links.length + 1 });
        tried += 1;
        expect([how, i, j, verifyAudit(copy, NOW).valid]).toEqual([how, i, j, false]);
      }
    }
    // A swap with itself is none.
    expect(tried).toBe(ways.length * places.length - log.links.length);
  });
});
