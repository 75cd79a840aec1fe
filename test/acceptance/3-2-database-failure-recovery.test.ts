// 3.2 Database failure recovery: is queueing refused while the tables are away, and does everything go on when they are back?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../lib/local/faults.ts';
import { ask } from '../support/api.ts';
import { MINUTE_MS, startChangeRig, type ChangeRig } from '../faults/change-rig.ts';
import { appliedTroubles, letterTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  rig = await startChangeRig();
}, 120_000);
afterAll(() => rig.close());

function disconnectDatabase(effect: FaultEffect): { reconnect(): void } {
  const fault = rig.world.cloud.faults.add({ service: 'dynamodb', when: 'before', effect });
  return { reconnect: () => fault.remove() };
}

const REFUSED: FaultEffect = { kind: 'error', code: 'InternalServerError', status: 500 };

describe('3.2: the database is away', () => {
  it('queueing raises, nothing is stored, and works again after reconnecting', async () => {
    const subject = await rig.subject();
    const database = disconnectDatabase(REFUSED);
    await expect(rig.queue(subject)).rejects.toThrow(
      expect.objectContaining({ name: 'Unavailable' }) as Error,
    );
    database.reconnect();
    expect(await rig.changes.get(subject.tenant, subject.id)).toBeUndefined();
    expect((await rig.queue(subject)).id).toBe(subject.id);
    await rig.over(subject);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
  });

  it.each<[string, FaultEffect]>([
    ['refuses', REFUSED],
    ['throttles', { kind: 'throttle' }],
  ])('POST /v1/changes answers 503 and stores nothing while it %s', async (_, effect) => {
    const { tenant, request } = await rig.subject();
    const { entity, kind, from, to, reason } = request;
    const post = () =>
      ask(rig.world, 'POST /v1/changes', { tenant, body: { entity, kind, from, to, reason } });
    const database = disconnectDatabase(effect);
    const refused = await post();
    database.reconnect();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect((await ask(rig.world, 'GET /v1/changes', { tenant })).body['changes']).toEqual([]);
    expect((await post()).status).toBe(202);
  });

  it('a change that is under way waits and is finished, once', async () => {
    const { cloud } = rig.world;
    const subject = await rig.subject();
    await rig.queue(subject);
    await cloud.until(async () => (await rig.change(subject)).status === 'CLAIMED');
    const database = disconnectDatabase(REFUSED);
    await cloud.advance(10 * MINUTE_MS);
    expect(rig.world.sandbox.meta.effects(subject.account.id)).toEqual([]);
    database.reconnect();
    await rig.over(subject);
    await cloud.advance(10 * MINUTE_MS);
    expect(await letterTroubles(rig, true)).toEqual([]);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
  });

  it('a change that was just written to the platform is recorded when the database is back, not written again', async () => {
    const { cloud, sandbox } = rig.world;
    const subject = await rig.subject();
    await rig.queue(subject);
    await cloud.until(() => sandbox.meta.effects(subject.account.id).length === 1);
    const database = disconnectDatabase(REFUSED);
    await cloud.advance(10 * MINUTE_MS);
    database.reconnect();
    await rig.over(subject);
    await cloud.advance(10 * MINUTE_MS);
    expect(await letterTroubles(rig, true)).toEqual([]);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
  });
});
