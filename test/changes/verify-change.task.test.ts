// Is what was applied looked at once more, and a platform that shows something else believed at last?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/changes/verify-change.task.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import { useChangeRig } from '../support/change-rig.ts';

const rig = useChangeRig();
const applied = (value: number | 'PAUSED'): Verdict => ({
  decision: 'applied',
  before: 5_000,
  applied: value,
  executedAt: rig.clock.now(),
});

describe('VerifyChange', () => {
  it('says what the object has when it is what was applied', async () => {
    const account = await rig.account();
    const change = await account.taken();
    rig.sandbox.meta.person.edit(change.entity.id, { dailyBudget: 5_500 });
    expect(await account.run(task, change, { change, verdict: applied(5_500) })).toEqual({ after: 5_500 });
  });

  it('looks at the slot that the change is about', async () => {
    const account = await rig.account();
    const [, , adId = ''] = account.adIds;
    const change = await account.taken({
      entity: { kind: 'ad', id: adId },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
    });
    const verdict = applied('PAUSED');
    await expect(account.run(task, change, { change, verdict })).rejects.toThrow(/PAUSED.*shows ACTIVE/);
    rig.sandbox.meta.person.edit(adId, { status: 'PAUSED' });
    expect(await account.run(task, change, { change, verdict })).toEqual({ after: 'PAUSED' });
  });

  it('asks again, as Unavailable, while the platform shows another value', async () => {
    const account = await rig.account();
    const change = await account.taken();
    await expect(account.run(task, change, { change, verdict: applied(5_500) })).rejects.toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('took 5500') as string,
    });
  });

  it('asks nothing where nothing was applied', async () => {
    const account = await rig.account();
    const change = await account.taken();
    const asked = rig.sandbox.meta.requests.length;
    const verdict: Verdict = { decision: 'block', code: 'moved', reason: 'It moved.' };
    expect(await account.run(task, change, { change, verdict })).toEqual({ after: null });
    expect(rig.sandbox.meta.requests).toHaveLength(asked);
  });
});
