// Which answers to a review count, and what do they say?
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../lambdas/runtime/canonical.ts';
import { decisionOf, reviewOver, reviewRecord, reviewView } from '../../lambdas/creative/review-answer.ts';
import { creativeRun } from '../support/creative-run.ts';

const { plan } = creativeRun('demo');
const [first = '', second = '', ...rest] = plan.variations.map(({ id }) => id);
const UNTIL = 1_000_000;
const review = {
  runId: 'run-1',
  token: 'secret',
  reasons: ['Too few.'],
  until: UNTIL,
  plan,
  planHash: hashOf(plan),
  verdicts: [],
};
const yes = (variationId: string) => ({ variationId, approved: true });

describe('a decision', () => {
  it('rejects what it does not name, and keeps the order of the plan', () => {
    const body = {
      decisions: [yes(second), { variationId: first, approved: false, comment: 'Too loud' }],
      comment: '',
    };
    expect(decisionOf(plan, body, 'ann')).toEqual({
      approved: [second],
      rejected: [first, ...rest],
      actor: 'ann',
      comment: '',
      comments: { [first]: 'Too loud' },
    });
  });

  it('names variations of the plan, each once', () => {
    const say =
      (...ids: string[]) =>
      () =>
        decisionOf(plan, { decisions: ids.map(yes), comment: '' }, 'ann');
    expect(say('v-000000000000')).toThrow(
      expect.objectContaining({ name: 'InvalidInput', path: 'decisions.0.variationId' }) as Error,
    );
    expect(say(first, first)).toThrow(expect.objectContaining({ path: 'decisions.1.variationId' }) as Error);
  });
});

describe('an answer', () => {
  const decision = decisionOf(plan, { decisions: [yes(first)], comment: '' }, 'ann');
  const other = decisionOf(plan, { decisions: [yes(second)], comment: '' }, 'ann');
  const waiting = { status: 'needs-review' } as const;
  const open = { ...review, status: 'open' } as const;
  const answered = { ...review, status: 'answered', decision } as const;

  it.each([
    ['in time', open, waiting, decision, UNTIL - 1, /^nothing$/],
    ['at the last moment', open, waiting, decision, UNTIL, /silence is a rejection/],
    ['to a stopped run', open, { status: 'stopped' }, decision, 0, /its status is stopped/],
    ['that was stored but not heard', answered, waiting, decision, 0, /^nothing$/],
    ['that was heard', answered, { status: 'running' }, decision, 0, /answered before/],
    ['that says something else the second time', answered, waiting, other, 0, /answered before/],
  ] as const)('%s', (_name, asked, run, said, nowMs, expected) => {
    const over = reviewOver(asked, run, said, nowMs);
    expect(over ?? 'nothing').toMatch(expected);
  });

  it('to another question of the same run is another record', () => {
    const id = (token: string) => reviewRecord('demo', { ...review, token }, decision, 0).id;
    expect(id('one')).toBe(id('one'));
    expect(id('one')).not.toBe(id('two'));
    expect(JSON.stringify(reviewRecord('demo', review, decision, 0))).not.toContain('secret');
    expect(JSON.stringify(reviewView(open, 0))).not.toContain('secret');
  });
});
