// Is what became of a change written down everywhere at once, and only once?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/changes/record-change.task.ts';
import type { Mode } from '../../lambdas/changes/change.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import { hashOf } from '../../lambdas/runtime/canonical.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import { ACCOUNT, outages, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;

async function applied(account: ChangeAccount, asked: Asked = {}) {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  await walk.policy();
  await walk.reserve();
  expect(await walk.apply()).toMatchObject({ decision: 'applied' });
  await walk.verify();
  return walk;
}
/** Reserved, and then this verdict. */
async function refused(account: ChangeAccount, verdict: Verdict, asked: Asked = {}) {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  await walk.policy();
  await walk.reserve();
  walk.verdict = verdict;
  return walk;
}
const because = { code: 'because', reason: 'So it is.' };
const ledger = ({ tenant }: ChangeAccount) => rig.ledgers.get(tenant, ACCOUNT);
const auditOf = async ({ tenant }: ChangeAccount) =>
  rig.table('audit').queryAll({
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :record)',
    ExpressionAttributeValues: { ':pk': `${tenant}#audit`, ':record': 'record#' },
  });

describe('RecordChange', () => {
  it('tells the change, its story, the object’s timeline, the ledger, the run and the bus', async () => {
    const account = await rig.account();
    const evidence = { roas: 3.1 };
    const walk = await applied(account, { evidence });
    const executedAt = rig.clock.now();
    rig.clock.advance(1_000);
    const { id, entity } = walk.change;
    expect(await walk.record()).toEqual({ outcome: 'applied', changeId: id, reason: '' });

    const change = await account.get(id);
    expect(change).toMatchObject({
      status: 'COMPLETED',
      statusCode: 'applied',
      result: { before: 5_000, applied: 5_500, executedAt },
      attempts: 0,
    });
    const story = await rig.histories.story(account.tenant, id);
    expect(story.map(({ move }) => move)).toEqual(['claim', 'begin', 'complete']);
    expect(story.at(-1)).toMatchObject({
      at: rig.clock.now(),
      actor: 'test',
      details: {
        before: 5_000,
        requested: 5_500,
        applied: 5_500,
        after: 5_500,
        mode: 'live',
        evidenceHash: hashOf(evidence),
        executedAt,
        tookMs: 1_000,
        limits: expect.arrayContaining([{ name: 'changes-per-hour', used: 1, limit: 15 }]) as unknown,
      },
    });
    expect(await rig.histories.timeline(account.tenant, ACCOUNT, entity)).toMatchObject([
      { by: 'us', at: executedAt, before: 5_000, after: 5_500, sourceId: id, details: { verified: true } },
    ]);
    expect((await ledger(account)).edits).toMatchObject([{ changeId: id, outcome: 'applied' }]);
    expect(await rig.open(runsNeed('read')).get(account.tenant, id)).toMatchObject({
      status: 'succeeded',
      output: { outcome: 'applied', changeId: id },
    });
    expect(await account.said()).toMatchObject([
      { name: 'change-execution.succeeded', detail: { runId: id, summary: { outcome: 'applied' } } },
    ]);
  });

  it('says so when nobody could look afterwards', async () => {
    const account = await rig.account();
    const walk = await applied(account);
    walk.after = null;
    await walk.record();
    const { entity } = walk.change;
    expect(await rig.histories.timeline(account.tenant, ACCOUNT, entity)).toMatchObject([
      { after: 5_500, details: { verified: false } },
    ]);
  });

  it('again is no second time', async () => {
    const account = await rig.account();
    const walk = await applied(account);
    const first = await walk.record();
    const before = [await account.get(walk.change.id), await ledger(account)];
    rig.clock.advance(5_000);
    expect(await walk.record()).toEqual(first);
    expect([await account.get(walk.change.id), await ledger(account)]).toEqual(before);
    expect(await rig.histories.story(account.tenant, walk.change.id)).toHaveLength(3);
    const { entity } = walk.change;
    expect(await rig.histories.timeline(account.tenant, ACCOUNT, entity)).toHaveLength(1);
    const ended = rig.metrics().filter(({ name, dimensions }) => {
      return name === 'workflow_executions_total' && dimensions['workflow'] !== undefined;
    });
    expect(ended).toHaveLength(1);
  });

  it.each([
    ['between the ledger and the change', 'before', 'TransactWriteItems', undefined],
    ['before the ledger', 'before', 'PutItem', 'ledger'],
    ['after the change, unheard', 'after', 'TransactWriteItems', undefined],
    ['after the ledger, unheard', 'after', 'PutItem', 'ledger'],
  ] as const)('broken off %s, the next try writes the rest', async (_, when, operation, resource) => {
    const account = await rig.account();
    const walk = await applied(account);
    const fault = rig.cloud.faults.add({
      service: 'dynamodb',
      operation,
      ...(resource === undefined ? {} : { resource }),
      when,
      effect: when === 'after' ? { kind: 'lost-reply' } : { kind: 'throttle' },
      times: 2,
    });
    await outages(walk.record());
    fault.remove();
    expect(await walk.record()).toMatchObject({ outcome: 'applied' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'COMPLETED' });
    expect(await rig.histories.story(account.tenant, walk.change.id)).toHaveLength(3);
    const { changes, edits, moved } = await ledger(account);
    expect([changes, edits]).toMatchObject([[{ outcome: 'applied' }], [{ outcome: 'applied' }]]);
    expect(moved.dayMinor).toBe(500);
    expect(rig.effects()).toHaveLength(1);
  });

  it('writes nothing for a lease that is somebody else’s by now', async () => {
    const account = await rig.account();
    const walk = await applied(account);
    await rig.changes.move(walk.change, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    await account.dispatched(await account.get(walk.change.id));
    await expect(walk.record()).rejects.toMatchObject({ name: 'Conflict' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'PENDING', lease: 2 });
    // That this lease's write reached the account is true all the same.
    expect((await ledger(account)).edits).toMatchObject([{ outcome: 'applied' }]);
  });

  it('keeps the room of a try that nobody could look at', async () => {
    const account = await rig.account();
    const walk = await refused(account, { decision: 'defer', retryAt: 0, unseen: true, ...because });
    await walk.record();
    expect(await ledger(account)).toMatchObject({ edits: [{ outcome: 'open' }], moved: { dayMinor: 500 } });
  });

  it('refuses to conclude from a go-ahead that nobody carried out', async () => {
    const account = await rig.account();
    const walk = await refused(account, { decision: 'apply', before: 5_000, applied: 5_500 });
    await expect(walk.record()).rejects.toThrow(/neither applied nor refused/);
    expect((await account.get(walk.change.id)).status).toBe('CLAIMED');
  });

  it('marks what an undo took back', async () => {
    const account = await rig.account();
    const first = await applied(account);
    await first.record();
    const origin = { area: 'undo', id: 'undo-1', actor: 'dana' };
    const undo = await applied(account, {
      kind: 'BUDGET_SET',
      from: 5_500,
      to: 5_000,
      origin,
      undoes: [first.change.id],
    });
    await undo.record();
    expect((await account.get(first.change.id)).undoneBy).toBe(undo.change.id);
  });
});

describe('a no', () => {
  it.each([
    [{ decision: 'block', ...because }, 'BLOCKED', 'blocked', 'block'],
    [{ decision: 'fail', ...because }, 'FAILED', 'failed', 'fail'],
    [{ decision: 'expire', ...because }, 'EXPIRED', 'expired', 'lapse'],
    [{ decision: 'hold', ...because }, 'HELD', 'held', 'ask'],
    [{ decision: 'needless', before: 5_500, ...because }, 'COMPLETED', 'needless', 'complete'],
    [{ decision: 'defer', retryAt: 2e12, ...because }, 'PENDING', 'deferred', 'defer'],
  ] as [Verdict, string, string, string][])('$decision', async (verdict, status, outcome, move) => {
    const account = await rig.account();
    const walk = await refused(account, verdict);
    expect(await walk.record()).toMatchObject({ outcome, reason: because.reason });
    const change = await account.get(walk.change.id);
    expect(change).toMatchObject({ status, statusCode: because.code, statusReason: because.reason });
    expect(change).toMatchObject({
      deferrals: verdict.decision === 'defer' ? 1 : 0,
      ...(verdict.decision === 'defer' ? { notBefore: 2e12 } : {}),
    });
    expect(change.result).toBeUndefined();
    expect((await rig.histories.story(account.tenant, change.id)).at(-1)).toMatchObject({ move, ...because });
    // Nobody asked the platform: the place in the hour is free again, and so is the money.
    expect(await ledger(account)).toMatchObject({ changes: [], edits: [], moved: { dayMinor: 0 } });
    expect(await rig.histories.timeline(account.tenant, ACCOUNT, change.entity)).toEqual([]);
    // The object is free for the next.
    const next = await account.dispatched(await account.queue({ to: 5_300 }));
    expect((await account.claimed(next)).status).toBe('CLAIMED');
  });

  it.each(['throttled', 'platform-policy', 'refused', 'account-stopped'])(
    'that the platform itself said (%s) keeps its place in the hour and gives the money back',
    async (code) => {
      const account = await rig.account();
      const walk = await refused(account, { decision: 'block', code, reason: 'No.' });
      await walk.record();
      expect(await ledger(account)).toMatchObject({
        changes: [{ outcome: 'not-applied' }],
        edits: [{ outcome: 'not-applied' }],
        moved: { dayMinor: 0 },
      });
    },
  );

  it('asks a person until the change expires', async () => {
    const account = await rig.account();
    const walk = await refused(account, { decision: 'hold', ...because });
    await walk.record();
    expect(await account.said()).toMatchObject([
      { name: 'change-execution.succeeded' },
      {
        name: 'change-execution.needs-review',
        detail: { reasons: [because.reason], until: new Date(walk.change.expiresAt).toISOString() },
      },
    ]);
  });

  it('is in the audit log when it decides something, and not when it only puts off', async () => {
    const account = await rig.account();
    await (await refused(account, { decision: 'defer', retryAt: 0, ...because })).record();
    expect(await auditOf(account)).toEqual([]);
    const blocked = await refused(account, { decision: 'block', ...because }, { to: 5_400 });
    await blocked.record();
    await blocked.record();
    expect(await auditOf(account)).toMatchObject([
      { action: 'change.blocked', actor: 'test', details: { ...because, requested: 5_400 } },
    ]);
  });

  it('forgets what is known not to have reached the platform, and remembers what is not', async () => {
    const account = await rig.account();
    const intent = { lease: 1, at: 0, before: 5_000, applied: 5_500, tries: 1 };
    for (const [unseen, remembered] of [[true, intent] as const, [false, undefined] as const]) {
      const walk = account.walk(await account.taken({ to: unseen ? 5_500 : 5_501 }));
      await rig.leases.begin(walk.change, 1, intent, { accountId: ACCOUNT }, rig.clock.now());
      walk.verdict = { decision: 'defer', retryAt: rig.clock.now() + MINUTE, unseen, ...because };
      await walk.record();
      expect((await account.get(walk.change.id)).intent).toEqual(remembered);
    }
  });

  it.each(['validate', 'shadow'] as Mode[])('%s is completed without a result', async (mode) => {
    const account = await rig.account();
    const change = await account.taken({ mode });
    const verdict: Verdict = { decision: 'checked', before: 5_000, applied: 5_500, ...because };
    await account.run(task, change, { change, verdict, mode, seen: null, reserved: null, after: null });
    const now = await account.get(change.id);
    expect(now).toMatchObject({ status: 'COMPLETED', statusCode: mode });
    expect(now.result).toBeUndefined();
    expect(await rig.histories.timeline(account.tenant, ACCOUNT, change.entity)).toEqual([]);
  });
});
