// Are settings typed, versioned, audited, and the outside world's ids each one tenant's?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainRecord, readAudit, verifyAudit } from '../../lambdas/runtime/audit.ts';
import { Settings } from '../../lambdas/runtime/settings-schema.ts';
import { settingsWriterNeed, type SettingsWriter } from '../../lambdas/runtime/settings-writer.ts';
import { allSettingsNeed, settingsNeed, type SettingsReader } from '../../lambdas/runtime/settings.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
let settings: SettingsReader & SettingsWriter;
let audit: Table;
beforeAll(async () => {
  plane = await startDataPlane();
  settings = plane.open(settingsWriterNeed);
  audit = plane.open(tableNeed('audit', 'transact'));
});
afterAll(() => plane.cloud.close());

const account = (tenant: string, id: string) => ({
  id,
  currency: 'EUR',
  timeZone: 'Europe/Berlin',
  pageId: '1234567',
  secret: `tenants/${tenant}/meta`,
});
const save = (tenant: string, expectedVersion: number, changes: object) =>
  settings.save({
    tenant,
    expectedVersion,
    settings: Settings.parse(changes),
    actor: 'ada',
    nowMs: plane.clock.now(),
  });

describe('settings', () => {
  it('have safe defaults while nothing was saved', async () => {
    expect(await settings.current('new')).toMatchObject({
      version: 0,
      settings: {
        goLive: 'held',
        crossLearning: false,
        council: { threshold: 85, minimumApproved: 3 },
        adAccounts: [],
      },
    });
  });

  it('save by version; a stale writer gets a Conflict and changes nothing', async () => {
    expect(await save('acme', 0, { niche: 'fitness' })).toMatchObject({ version: 1 });
    await expect(save('acme', 0, { niche: 'lost' })).rejects.toMatchObject({ name: 'Conflict' });
    const both = await Promise.allSettled([save('acme', 1, { niche: 'a' }), save('acme', 1, { niche: 'b' })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await settings.current('acme')).toMatchObject({ version: 2, changedBy: 'ada' });
  });

  it('write who changed what into the audit log, in the same transaction', async () => {
    const first = await save('audited', 0, { niche: 'one' });
    const second = await save('audited', 1, { niche: 'two' });
    await chainRecord(audit, first.chain);
    await chainRecord(audit, second.chain);
    const log = await readAudit(audit, 'audited');
    expect(
      log.records.map(({ actor, action, details }) => [actor, action, (details['after'] as Settings).niche]),
    ).toEqual([
      ['ada', 'settings.changed', 'one'],
      ['ada', 'settings.changed', 'two'],
    ]);
    expect(verifyAudit(log, plane.clock.now())).toMatchObject({ valid: true, chained: 2 });
  });

  it('give a portal and an ad account to one tenant, and free them when removed', async () => {
    await save('owner', 0, { hubspotPortalIds: ['77'], adAccounts: [account('owner', '1000001')] });
    expect(await settings.tenantOfPortal('77')).toBe('owner');
    await expect(save('thief', 0, { hubspotPortalIds: ['77'] })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'hubspotPortalIds',
    });
    await expect(save('thief', 0, { adAccounts: [account('thief', '1000001')] })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'adAccounts',
    });
    expect((await settings.current('thief')).version).toBe(0);
    await save('owner', 1, {});
    await expect(settings.tenantOfPortal('77')).rejects.toMatchObject({ name: 'InvalidInput' });
    await save('thief', 0, { hubspotPortalIds: ['77'] });
    expect(await settings.tenantOfPortal('77')).toBe('thief');
  });

  it('refuse unknown portals and accounts instead of guessing', async () => {
    await save('accounts', 0, {
      adAccounts: [account('accounts', '2000001'), account('accounts', '2000002')],
    });
    expect(await settings.adAccount('accounts', '2000002')).toMatchObject({ id: '2000002', currency: 'EUR' });
    expect(await settings.adAccount('accounts')).toMatchObject({ id: '2000001' });
    await expect(settings.adAccount('accounts', '9')).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'adAccountId',
    });
    await expect(settings.adAccount('nobody')).rejects.toMatchObject({ name: 'InvalidInput' });
    await expect(settings.tenantOfPortal('0')).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it("refuse another tenant's secret", async () => {
    await expect(save('spy', 0, { adAccounts: [account('acme', '3000001')] })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'adAccounts.0.secret',
    });
    await expect(save('spy', 0, { connections: { drive: 'tenants/acme/drive' } })).rejects.toMatchObject({
      path: 'connections.drive',
    });
  });

  it('list watched folders and tenants for schedules', async () => {
    await save('watcher', 0, {
      driveFolders: [
        { id: 'folder-1', brief: {} },
        { id: 'folder-2', brief: {} },
      ],
    });
    const all = plane.open(allSettingsNeed);
    expect(await all.watchedFolders()).toEqual([
      { tenant: 'watcher', folderId: 'folder-1' },
      { tenant: 'watcher', folderId: 'folder-2' },
    ]);
    expect(await all.tenants()).toContain('watcher');
    expect(settingsNeed.grants).toEqual([
      { actions: ['dynamodb:GetItem'], on: { kind: 'table', name: 'settings' } },
    ]);
  });

  it.each([
    [{ currency: 'XYQ' }, 'currency'],
    [{ timeZone: 'Mars/Base' }, 'timeZone'],
    [{ adAccounts: [{ ...account('a', '5000001'), id: 'act_1' }] }, 'adAccounts.0.id'],
    [{ adAccounts: [{ ...account('a', '5000001'), secret: 'EAAB-token' }] }, 'adAccounts.0.secret'],
    [{ council: { threshold: 101 } }, 'council.threshold'],
    [{ unknown: 1 }, ''],
  ])('refuse %j', (value, path) => {
    const parsed = Settings.safeParse(value);
    expect(parsed.error?.issues[0]?.path.join('.')).toBe(path);
  });
});
