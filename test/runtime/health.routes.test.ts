// Can anybody see that Impresario is well, and nobody more than that?
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSettings } from '../../lambdas/runtime/settings.ts';
import { Settings } from '../../lambdas/runtime/settings-schema.ts';
import { openSettingsWriter } from '../../lambdas/runtime/settings-writer.ts';
import type { World } from '../../lib/laptop/world.ts';
import { testWorld } from '../support/world.ts';
import { ask, drain, queueUrl } from './operations.ts';

let world: World;
beforeAll(async () => {
  world = await testWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.cloud.faults.clear();
  // Answers are remembered for ten seconds.
  await world.cloud.advance(11_000);
});

/** Straight into the settings: another tenant's account, known by its token's end. */
async function connectWithToken(tenant: string, tokenExpiresAt: string): Promise<void> {
  const reader = openSettings(world.table('settings'));
  const account = {
    id: '909090909',
    currency: 'USD',
    timeZone: 'UTC',
    pageId: '808080808',
    secret: `tenants/${tenant}/meta`,
  };
  await openSettingsWriter(world.table('settings'), world.table('audit').name).save({
    tenant,
    expectedVersion: (await reader.current(tenant)).version,
    settings: Settings.parse({ adAccounts: [{ ...account, tokenExpiresAt }] }),
    actor: 'test',
    nowMs: world.cloud.clock.now(),
  });
}

const look = () => ask(world, null, 'GET', '/health');

describe('GET /health', () => {
  it('is 200 for anybody, says nothing of tenants, and names what it looked at', async () => {
    const { status, body, headers } = await look();
    expect([status, body['status'], body['problems']]).toEqual([200, 'ok', []]);
    expect(body['tables']).toMatchObject({ runs: 'ok', changes: 'ok', settings: 'ok' });
    expect(body['queues']).toMatchObject({ 'settle-run': { waiting: 0, inFlight: 0 } });
    expect(body['openCircuits']).toBe(0);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.stringify(body)).not.toContain('demo');
  });

  it('is 503 and names the table that does not answer', async () => {
    world.cloud.faults.add({
      service: 'dynamodb',
      resource: 'impresario-dev-changes',
      function: 'health',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const { status, body } = await look();
    expect([status, body['status']]).toEqual([503, 'failing']);
    expect(body['tables']).toMatchObject({ runs: 'ok', changes: 'failing' });
    expect(body['problems']).toEqual(['No answer from table changes: RateLimited.']);
  });

  it('is 503 when the queues do not answer', async () => {
    world.cloud.faults.add({
      service: 'sqs',
      function: 'health',
      when: 'before',
      effect: { kind: 'error', code: 'ServiceUnavailable', status: 503 },
    });
    const { status, body } = await look();
    expect([status, body['problems']]).toEqual([503, ['No answer from the queues: ServiceUnavailable.']]);
  });

  it('warns a week before a vendor token ends, without saying whose', async () => {
    const endsAt = new Date(world.cloud.clock.now() + 3 * 86_400_000).toISOString();
    await connectWithToken('expiring', endsAt);
    await world.cloud.advance(6 * 60_000);
    const { status, body } = await look();
    expect([status, body['status'], body['nextTokenExpiryAt']]).toEqual([200, 'degraded', endsAt]);
    expect(body['problems']).toContain(`A vendor token ends at ${endsAt}: connect again.`);
    expect(JSON.stringify(body)).not.toContain('expiring');
    await connectWithToken('expiring', new Date(world.cloud.clock.now() + 90 * 86_400_000).toISOString());
    await world.cloud.advance(6 * 60_000);
  });

  it('is degraded, not failing, while a vendor is away or a dead letter waits', async () => {
    const now = world.cloud.clock.now();
    const row = {
      pk: 'platform#open-circuits',
      sk: 'meta#demo',
      service: 'meta',
      status: 'open',
      since: now,
    };
    await world.table('circuits').put({ Item: { ...row, expiresAt: Math.floor(now / 1_000) + 3_600 } });
    await world.cloud.call('sqs', 'SendMessage', {
      QueueUrl: await queueUrl(world, 'creative-dead-letters'),
      MessageBody: '{}',
    });
    const { status, body } = await look();
    expect([status, body['status'], body['openCircuits']]).toEqual([200, 'degraded', 1]);
    expect(body['problems']).toEqual([
      '1 circuits are open: a vendor is failing.',
      '1 messages wait on creative-dead-letters.',
    ]);
    expect(JSON.stringify(body)).not.toContain('demo');
    await world.table('circuits').delete({ Key: { pk: row.pk, sk: row.sk } });
    await drain(world, 'creative-dead-letters');
  });

  it('lists workers that never succeeded, and says so once they had time to', async () => {
    const fresh = await testWorld();
    fresh.cloud.faults.add({ function: 'sweep-audit', invocation: 'error' });
    try {
      const first = await ask(fresh, null, 'GET', '/health');
      const unseen = { lastSuccessAt: null, secondsAgo: null };
      expect([first.status, first.body['status'], first.body['workers']]).toEqual([
        200,
        'ok',
        {
          ExpireChanges: unseen,
          SweepAudit: unseen,
          SweepChanges: unseen,
          SweepRuns: unseen,
          WatchDrive: unseen,
        },
      ]);
      await fresh.cloud.advance(19 * 60_000);
      const { body: early } = await ask(fresh, null, 'GET', '/health');
      expect(early['workers']).toMatchObject({
        SweepAudit: unseen,
        SweepRuns: { lastSuccessAt: expect.any(String) as string },
      });
      expect(early['problems']).not.toContainEqual(expect.stringContaining('SweepAudit'));
      await fresh.cloud.advance(2 * 60_000);
      const { status, body: late } = await ask(fresh, null, 'GET', '/health');
      expect([status, late['status']]).toEqual([200, 'degraded']);
      expect(late['problems']).toContainEqual(
        expect.stringMatching(
          /^SweepAudit has never succeeded, although it was deployed at 2026-11-20T09:00/,
        ),
      );
    } finally {
      await fresh.close();
    }
  });

  it('shows when each worker last succeeded, and says when one is late', async () => {
    await world.cloud.advance(6 * 60_000);
    await world.cloud.settle();
    const fresh = await look();
    expect(Object.keys(fresh.body['workers'] as object)).toEqual(
      expect.arrayContaining(['SweepRuns', 'SweepAudit', 'WatchDrive']),
    );
    expect(fresh.body['status']).toBe('ok');
    world.cloud.faults.add({ function: 'sweep-runs', invocation: 'error' });
    await world.cloud.advance(25 * 60_000);
    await world.cloud.settle();
    const late = await look();
    expect(late.body['status']).toBe('degraded');
    expect(late.body['problems']).toEqual(
      expect.arrayContaining([expect.stringMatching(/^SweepRuns last succeeded at /)]),
    );
  });
});
