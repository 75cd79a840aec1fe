// Is every effect recorded before it happens, and undone exactly when it should be?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listDebts, settleDebt } from '../../lambdas/runtime/debts.ts';
import { keepIntents, openEffects, openIntents, type EffectsOwner } from '../../lambdas/runtime/intents.ts';
import { openMemo } from '../../lambdas/runtime/memo.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { openSettlement } from '../../lambdas/runtime/settlement.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
let table: Table;
beforeAll(async () => {
  plane = await startDataPlane();
  table = plane.open(tableNeed('runs', 'write'));
});
afterAll(() => plane.cloud.close());

const freshRun = () => ({ tenant: 'acme', id: newRunId(plane.clock.now()) });
const effectsOf = (run: EffectsOwner, allowed?: readonly string[]) =>
  openEffects(table, run, () => plane.clock.now(), allowed ?? 'all');

describe('intents', () => {
  it('tell a first try, a try with unknown outcome and a finished one apart', async () => {
    const run = freshRun();
    const effects = effectsOf(run);
    expect(await effects.begin('ad', 'v-1', { name: 'first' })).toEqual({
      status: 'new',
      details: { name: 'first' },
    });
    expect(await effectsOf(run).begin('ad', 'v-1', { name: 'second' })).toEqual({
      status: 'begun',
      details: { name: 'first' },
    });
    await effects.applied('ad', 'v-1', { id: '42' });
    expect(await effects.begin('ad', 'v-1', {})).toEqual({
      status: 'applied',
      details: { name: 'first' },
      result: { id: '42' },
    });
    expect(effects.key('ad', 'v-1')).toBe(`${run.id}/ad/v-1`);
    expect(await effectsOf(freshRun()).begin('ad', 'v-1', {})).toMatchObject({ status: 'new' });
  });

  it('only one of many simultaneous tries is new', async () => {
    const effects = effectsOf(freshRun());
    const begun = await Promise.all(Array.from({ length: 8 }, () => effects.begin('ad', 'x', {})));
    expect(begun.filter(({ status }) => status === 'new')).toHaveLength(1);
  });

  it('of a successful attempt are kept: a later attempt finds them done and can undo only its own', async () => {
    const run = freshRun();
    const effects = effectsOf(run);
    await effects.begin('ad', 'v-1', {});
    await effects.applied('ad', 'v-1', { id: '1' });
    await keepIntents(table, run);
    await keepIntents(table, run);
    expect(await effects.begin('ad', 'v-1', {})).toMatchObject({ status: 'applied', result: { id: '1' } });
    await effects.begin('ad', 'v-2', {});
    await effects.undone('ad', 'v-1');
    expect((await effects.open('ad')).map(({ subject }) => subject)).toEqual(['v-2']);
    expect((await openIntents(table, run)).map(({ subject }) => subject)).toEqual(['v-2']);
    expect((await effects.kept('ad')).map(({ subject }) => subject)).toEqual(['v-1']);
  });

  it('are undone newest first, tolerate undoing what never began, and begin anew afterwards', async () => {
    const run = freshRun();
    const effects = effectsOf(run);
    for (const subject of ['a', 'b', 'c']) {
      await effects.begin('ad', subject, {});
      plane.clock.advance(1);
    }
    await effects.begin('campaign', 'c', {});
    await effects.applied('ad', 'b', { id: '2' });
    expect((await effects.open('ad')).map(({ subject, status }) => [subject, status])).toEqual([
      ['c', 'begun'],
      ['b', 'applied'],
      ['a', 'begun'],
    ]);
    expect((await openIntents(table, run)).map(({ effect }) => effect)).toEqual([
      'campaign',
      'ad',
      'ad',
      'ad',
    ]);
    await effects.undone('ad', 'b');
    await effects.undone('ad', 'b');
    await effects.undone('ad', 'never');
    expect((await effects.open('ad')).map(({ subject }) => subject)).toEqual(['c', 'a']);
    expect(await effects.begin('ad', 'b', { again: true })).toEqual({
      status: 'new',
      details: { again: true },
    });
    expect((await effects.open('ad'))[0]).not.toHaveProperty('result');
  });

  it('tell a straggler that its effect was undone meanwhile', async () => {
    const effects = effectsOf(freshRun());
    await effects.begin('ad', 'a', {});
    await effects.undone('ad', 'a');
    await expect(effects.applied('ad', 'a', { id: '1' })).rejects.toMatchObject({ name: 'Conflict' });
  });

  it('begin, end, join and keep nothing once their attempt is being settled, nor after; the next attempt does', async () => {
    const run = freshRun();
    const effects = effectsOf(run);
    await effects.begin('ad', 'begun', {});
    await effects.begin('ad', 'applied', {});
    await effects.applied('ad', 'applied', { id: '1' });
    const attempt = { tenant: run.tenant, runId: run.id, attempt: 1 };
    const settlement = openSettlement(table, plane.clock.now);
    const conflict = { name: 'Conflict' };
    const refusals = async () => {
      await expect(effects.begin('ad', 'new', {})).rejects.toMatchObject(conflict);
      await expect(effects.begin('ad', 'begun', {})).rejects.toMatchObject(conflict);
      await expect(effects.begin('ad', 'applied', {})).rejects.toMatchObject(conflict);
      await expect(effects.applied('ad', 'begun', { id: '2' })).rejects.toMatchObject(conflict);
      await expect(table.transact(effects.guard('ad', 'begun'))).rejects.toMatchObject(conflict);
      await expect(keepIntents(table, run)).rejects.toMatchObject(conflict);
    };
    await settlement.claim(attempt, 1_000);
    await refusals();
    await settlement.release(attempt);
    await refusals();
    await settlement.claim(attempt, 1_000);
    await settlement.settled(attempt);
    await refusals();
    expect(await openIntents(table, run)).toHaveLength(2);
    const next = effectsOf({ ...run, attempt: 2 });
    expect(await next.begin('ad', 'new', {})).toMatchObject({ status: 'new' });
    await table.transact(next.guard('ad', 'new'));
    await next.applied('ad', 'new', { id: '3' });
  });

  it('refuse effects that the task does not declare', async () => {
    await expect(effectsOf(freshRun(), ['ad']).begin('campaign', 'a', {})).rejects.toThrow(
      'does not declare',
    );
  });

  it('keep debts until they are settled', async () => {
    const run = freshRun();
    await effectsOf(run).debt('ad', 'a', 'the vendor refused to delete it');
    const [debt] = await listDebts(table);
    expect(debt).toMatchObject({
      tenant: 'acme',
      runId: run.id,
      effect: 'ad',
      subject: 'a',
      error: 'the vendor refused to delete it',
    });
    if (debt !== undefined) await settleDebt(table, debt);
    expect(await listDebts(table)).toEqual([]);
  });
});

describe('memo', () => {
  it('answers the same input in the same state of the same run', async () => {
    const run = freshRun();
    const memo = openMemo(table, run);
    expect(await memo.recall('Draft', { b: 1, a: 2 })).toBeUndefined();
    await memo.remember('Draft', { b: 1, a: 2 }, { plan: [1.5, null] }, 4_000_000_000);
    expect(await memo.recall('Draft', { a: 2, b: 1 })).toEqual({ output: { plan: [1.5, null] } });
    expect(await memo.recall('Review', { a: 2, b: 1 })).toBeUndefined();
    expect(await openMemo(table, freshRun()).recall('Draft', { a: 2, b: 1 })).toBeUndefined();
    await memo.remember('None', {}, undefined, 4_000_000_000);
    expect(await memo.recall('None', {})).toEqual({ output: null });
  });
});
