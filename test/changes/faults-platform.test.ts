// Is a change applied once, refused with a reason, or put off, whatever the platform does to the call?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../lib/sandbox/switches.ts';
import { ask } from '../support/api.ts';
import {
  HOUR_MS,
  MINUTE_MS,
  startChangeRig,
  type ChangeRig,
  type ChangeSubject,
} from '../faults/change-rig.ts';
import { appliedTroubles, refusedTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  // People's edits are counted, and hold nothing up.
  rig = await startChangeRig({ personCooldownMinutes: 0 });
}, 120_000);
afterAll(() => rig.close());

/** Twenty seconds of it pass for one answer that never comes. */
const PATIENT_MS = 120_000;

/** Failures that time heals. */
const PASSING: readonly Failure[] = [
  'throttle',
  'server-error',
  'nonsense',
  'disconnect',
  'timeout',
  'truncate',
  'apply-and-lose-reply',
  'apply-and-time-out',
];

/** Each call of an execution, in order. */
const CALLS = [
  { what: 'the read that the decision is compared with', method: 'GET', after: 0 },
  { what: 'the read just before the write', method: 'GET', after: 1 },
  { what: 'the write', method: 'POST', after: 0 },
  { what: 'the read that verifies', method: 'GET', after: 2 },
] as const;

const CASES = CALLS.flatMap((call) => PASSING.map((failure) => ({ ...call, failure })));
/** Our patience with a vendor is real time, whatever the cloud's clock says. */
const SLOW: readonly Failure[] = ['timeout', 'apply-and-time-out'];
/** The write meets every failure; the reads, which look alike, some. */
const rows =
  process.env['FAULTS'] === 'all'
    ? CASES
    : CASES.filter(
        ({ method, failure }, index) => !SLOW.includes(failure) && (method === 'POST' || index % 5 === 0),
      );

const path = ({ request }: ChangeSubject): RegExp => new RegExp(`/${request.entity.id}$`);

it.each(rows)(
  '$what: $failure',
  async ({ method, after, failure }) => {
    const subject = await rig.subject();
    const broken = rig.world.sandbox.meta.fail({
      match: { method, path: path(subject) },
      with: failure,
      after,
    });
    await rig.queue(subject);
    await rig.over(subject);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
    expect(broken.hits()).toBe(1);
    await rig.retire(subject);
  },
  PATIENT_MS,
);

describe('the platform says no', () => {
  it.each([
    { failure: 'policy', status: 'BLOCKED', move: 'block' },
    { failure: 'refuse', status: 'FAILED', move: 'fail' },
  ] as const)('$failure: $status with the reason, asked once', async ({ failure, status, move }) => {
    const subject = await rig.subject();
    const match = { method: 'POST', path: path(subject) };
    const broken = rig.world.sandbox.meta.fail({ match, with: failure, times: 10 });
    await rig.queue(subject);
    await rig.over(subject);
    expect(await refusedTroubles(rig, subject, { status, move, row: 'succeeded' })).toEqual([]);
    expect(broken.hits()).toBe(1);
    await rig.retire(subject);
  });

  it.each([
    { failure: 'permission', method: 'POST' },
    { failure: 'expired-token', method: 'POST' },
    { failure: 'expired-token', method: 'GET' },
  ] as const)(
    '$failure on a $method: the account stops until a person lets it go on',
    async ({ failure, method }) => {
      const { cloud, sandbox } = rig.world;
      const subject = await rig.subject();
      const { tenant, account } = subject;
      const other = await queueAnother(subject);
      const broken = sandbox.meta.fail({
        match: { method, path: path(subject) },
        with: failure,
        times: 1_000,
      });
      await rig.queue(subject);
      await cloud.until(async () => (await rig.change(subject)).deferrals > 0);
      expect(await rig.change(subject)).toMatchObject({
        status: 'PENDING',
        statusCode: 'account-stopped',
        attempts: 0,
      });
      // An hour later nobody has asked again, neither for this nor for anything else of the account.
      await cloud.advance(MINUTE_MS);
      const asked = sandbox.meta.requests.length;
      await cloud.advance(HOUR_MS);
      expect(sandbox.meta.requests.length).toBe(asked);
      expect(broken.hits()).toBe(1);
      const said = await ask(rig.world, 'GET /v1/kill-switch', { tenant });
      expect(said.body['switches']).toMatchObject([{ scope: 'account', id: account.id, actor: 'executor' }]);
      const stopped = cloud
        .metrics()
        .filter(({ name, value }) => name === 'ad_accounts_stopped_count' && value > 0);
      expect(stopped.length).toBeGreaterThan(0);

      broken.off();
      const order = { scope: 'account', id: account.id, on: false, comment: 'Connected again.' };
      expect(
        (await ask(rig.world, 'PUT /v1/kill-switch', { tenant, role: 'admin', body: order })).status,
      ).toBe(200);
      await rig.over(subject, 5 * MINUTE_MS);
      await cloud.until(async () => (await rig.changes.get(tenant, other))?.status === 'COMPLETED');
      expect((await rig.change(subject)).status).toBe('COMPLETED');
      const budgets = sandbox.meta.effects(account.id).filter(({ field }) => field === 'daily_budget');
      expect(budgets).toMatchObject([{ before: 5_000, after: 5_500 }]);
      await rig.retire(subject);
    },
  );

  /** Waits behind the first, for the same account. */
  async function queueAnother({ tenant, request, adIds }: ChangeSubject): Promise<string> {
    const { change } = await rig.changes.queue({
      tenant,
      request: {
        ...request,
        entity: { kind: 'ad', id: adIds[1] ?? '' },
        kind: 'PAUSE',
        from: 'ACTIVE',
        to: 'PAUSED',
        notBefore: rig.world.cloud.clock.now() + 5 * MINUTE_MS,
      },
      status: 'PENDING',
      nowMs: rig.world.cloud.clock.now(),
    });
    return change.id;
  }

  it('the fifth budget edit of an hour: the platform freezes the budget, and it is applied an hour later', async () => {
    const { cloud, sandbox } = rig.world;
    const subject = await rig.subject();
    const [adSet = ''] = subject.adSetIds;
    // Somebody used up the hour's four edits, and ended where they began.
    for (const dailyBudget of [5_100, 5_000, 5_100, 5_000]) sandbox.meta.person.edit(adSet, { dailyBudget });
    await rig.queue(subject);
    await cloud.until(async () => (await rig.change(subject)).deferrals > 0);
    const { status, statusCode, notBefore } = await rig.change(subject);
    expect({ status, statusCode }).toEqual({ status: 'PENDING', statusCode: 'throttled' });
    expect(notBefore - cloud.clock.now()).toBe(HOUR_MS);
    expect((await rig.over(subject)).status).toBe('COMPLETED');
    const effects = sandbox.meta.effects(subject.account.id).filter(({ by }) => by === 'api');
    expect(effects).toMatchObject([{ before: 5_000, after: 5_500 }]);
    expect(effects[0]?.atMs).toBeGreaterThanOrEqual(notBefore);
    await rig.retire(subject);
  });
});
