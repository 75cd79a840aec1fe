// Are reviews answered once, and do predictions keep their first time and their ad?
import { describe, expect, it } from 'vitest';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import { openPredictions } from '../../lambdas/creative/predictions.ts';
import { Conflict } from '../../lambdas/runtime/errors.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();
const { plan, forecasts } = creativeRun('t');
const creatives = () => openCreatives(rig.table('creatives'));
const review = { runId: 'run-1', token: 'one', reasons: ['why'], until: 5_000, plan, verdicts: [] };
const decision = { approved: [], rejected: [], actor: 'Ann', comment: '', comments: {} };

describe('a review', () => {
  it('is answered once, before its time is over, by whoever holds the latest question', async () => {
    await creatives().openReview('t', review);
    await creatives().openReview('t', { ...review, token: 'two' });
    const answer = (token: string, nowMs: number) =>
      creatives().answerReview('t', { runId: 'run-1', token }, decision, nowMs, []);
    await expect(answer('one', 1_000)).rejects.toThrow(Conflict);
    await expect(answer('two', 5_000)).rejects.toThrow(Conflict);
    await answer('two', 4_999);
    await expect(answer('two', 4_999)).rejects.toThrow(Conflict);
    expect(await creatives().review('t', 'run-1')).toMatchObject({
      status: 'answered',
      decision: { actor: 'Ann' },
    });
    expect(await creatives().review('u', 'run-1')).toBeUndefined();
  });
});

describe('the place in Drive’s changes', () => {
  it('moves only from where it was', async () => {
    await creatives().moveDriveToken('t', undefined, 'a', 1);
    await expect(creatives().moveDriveToken('t', undefined, 'b', 1)).rejects.toThrow(Conflict);
    await expect(creatives().moveDriveToken('t', 'x', 'b', 1)).rejects.toThrow(Conflict);
    await creatives().moveDriveToken('t', 'a', 'b', 1);
    expect(await creatives().driveToken('t')).toBe('b');
    expect(await creatives().driveToken('u')).toBeUndefined();
  });
});

describe('a prediction', () => {
  it('keeps when it was made and which ad became of it, however often it is written', async () => {
    const table = rig.table('predictions');
    const predictions = openPredictions(table);
    const [one] = forecasts.list;
    if (!one) throw new Error('no forecast');
    await predictions.write('t', 'run-1', [one], 1_000);
    await predictions.published('t', 'run-1', one.variationId, '77');
    await predictions.write('t', 'run-1', [one], 2_000);
    expect(await table.get({ pk: `t#prediction#${one.variationId}`, sk: 'run-1' })).toMatchObject({
      predictedAt: 1_000,
      adId: '77',
      source: 'model',
      modelVersion: '0',
      forecast: { variationId: one.variationId },
    });
  });
});
