// Can an administrator change the settings, and only their own, and nobody's by accident?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Settings } from '../../lambdas/runtime/settings-schema.ts';
import type { World } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { BRIEF } from '../support/creative-run.ts';
import { testWorld } from '../support/world.ts';
import { ask, listen } from './operations.ts';

let world: World;
let heard: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  world = await testWorld();
  heard = await listen(world);
});
afterAll(() => world.close());

const admin = (tenant: string) => ({ tenant, role: 'admin' }) as const;
const read = (tenant: string) => ask(world, { tenant, role: 'viewer' }, 'GET', '/v1/settings');
const write = (tenant: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(world, admin(tenant), 'PUT', '/v1/settings', { body, headers });
const settings = (change: object = {}) => ({ ...Settings.parse({}), ...change });

describe('/v1/settings', () => {
  it('is saved by version, read back, audited and announced', async () => {
    expect((await read('acme')).body).toMatchObject({ version: 0, settings: { niche: 'general' } });
    const saved = await write('acme', { version: 0, settings: settings({ niche: 'lamps' }) });
    expect([saved.status, saved.headers.get('etag')]).toEqual([200, '"1"']);
    expect(saved.body).toMatchObject({ version: 1, changedBy: 'admin@acme', settings: { niche: 'lamps' } });
    const next = await write('acme', { settings: settings({ niche: 'desks' }) }, { 'if-match': '"1"' });
    expect(next.status).toBe(200);
    expect((await read('acme')).body).toEqual(next.body);
    await world.cloud.settle();
    const said = (await heard()).filter(({ name }) => name === 'settings.changed');
    expect(said.map(({ detail }) => detail)).toEqual([
      { tenant: 'acme', version: 1, actor: 'admin@acme' },
      { tenant: 'acme', version: 2, actor: 'admin@acme' },
    ]);
    const verdict = await ask(world, admin('acme'), 'GET', '/v1/audit/verify');
    expect(verdict.body).toMatchObject({ valid: true, chained: 2, tail: { count: 0 } });
  });

  it('is refused when somebody was faster, or nobody says what was read', async () => {
    await write('fast', { version: 0, settings: settings() });
    const late = await write('fast', { version: 0, settings: settings({ niche: 'late' }) });
    expect([late.status, late.type]).toEqual([409, expect.stringContaining('problem+json')]);
    const blind = await write('fast', { settings: settings() });
    expect([blind.status, blind.body['path']]).toEqual([400, 'version']);
    const odd = await write('fast', { settings: settings() }, { 'if-match': 'W/"yes"' });
    expect([odd.status, odd.body['path']]).toEqual([400, 'If-Match']);
    const torn = await write('fast', { version: 1, settings: settings() }, { 'if-match': '"2"' });
    expect([torn.status, torn.body['path']]).toEqual([400, 'version']);
    expect((await read('fast')).body).toMatchObject({ version: 1, settings: { niche: 'general' } });
  });

  it('names the field that is wrong', async () => {
    const bad = await write('fields', { version: 0, settings: settings({ timeZone: 'Mars/Olympus' }) });
    expect([bad.status, bad.body['path']]).toEqual([400, 'settings.timeZone']);
    const unknown = await write('fields', { version: 0, settings: settings({ colour: 'red' }) });
    expect(unknown.status).toBe(400);
  });

  it('takes a watched folder only with a brief that can be worked with', async () => {
    const watching = (brief: object) =>
      write('watcher', { version: 0, settings: settings({ driveFolders: [{ id: 'folder-1', brief }] }) });
    const { landingUrl, ...unfinished } = BRIEF;
    const bad = await watching(unfinished);
    expect([bad.status, bad.body['path']]).toEqual([400, 'settings.driveFolders.0.brief.landingUrl']);
    const wrong = await watching({ ...BRIEF, language: 'English' });
    expect([wrong.status, wrong.body['path']]).toEqual([400, 'settings.driveFolders.0.brief.language']);
    const good = await watching({ ...unfinished, landingUrl });
    expect(good.status).toBe(200);
    expect(good.body).toMatchObject({ settings: { driveFolders: [{ id: 'folder-1', brief: BRIEF }] } });
  });

  it("takes nobody else's account, portal or secret", async () => {
    await write('owner', { version: 0, settings: settings({ hubspotPortalIds: ['4711'] }) });
    const portal = await write('thief', { version: 0, settings: settings({ hubspotPortalIds: ['4711'] }) });
    expect([portal.status, portal.body['path']]).toEqual([400, 'hubspotPortalIds']);
    const adAccount = {
      id: DEFAULT_ACCOUNT.id,
      currency: 'USD',
      timeZone: 'UTC',
      pageId: DEFAULT_ACCOUNT.pageIds[0],
    };
    const taken = { ...adAccount, secret: 'tenants/thief/meta' };
    const account = await write('thief', { version: 0, settings: settings({ adAccounts: [taken] }) });
    expect([account.status, account.body['path']]).toEqual([400, 'adAccounts']);
    const borrowed = { ...adAccount, id: '99999', secret: 'tenants/demo/meta' };
    const secret = await write('thief', { version: 0, settings: settings({ adAccounts: [borrowed] }) });
    expect([secret.status, secret.body['path']]).toEqual([400, 'adAccounts.0.secret']);
    expect((await read('thief')).body).toMatchObject({ version: 0 });
  });

  it('is changed by administrators only', async () => {
    const body = { version: 0, settings: settings() };
    for (const role of ['viewer', 'operator', 'approver'] as const) {
      const answer = await ask(world, { tenant: 'roles', role }, 'PUT', '/v1/settings', { body });
      expect(answer.status).toBe(403);
    }
    expect((await ask(world, null, 'GET', '/v1/settings')).status).toBe(401);
    expect((await ask(world, { tenant: 'roles', role: 'viewer' }, 'GET', '/v1/audit/verify')).status).toBe(
      403,
    );
  });

  it('is saved even if nobody can be told just now, and its record is chained by the sweep', async () => {
    world.cloud.faults.add({
      service: 'sqs',
      operation: 'SendMessage',
      function: 'settings',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const saved = await write('quiet', { version: 0, settings: settings() });
    expect([saved.status, saved.body['version']]).toEqual([200, 1]);
    world.cloud.faults.clear();
    const verify = async () => (await ask(world, admin('quiet'), 'GET', '/v1/audit/verify')).body;
    expect(await verify()).toMatchObject({ valid: true, chained: 0, tail: { count: 1 } });
    await world.cloud.advance(11 * 60_000);
    await world.cloud.settle();
    expect(await verify()).toMatchObject({ valid: true, chained: 1, tail: { count: 0 } });
  });
});
