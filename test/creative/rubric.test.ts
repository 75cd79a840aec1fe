// Does each rubric item fall for its own flaw, and does the whole fall with it?
import { describe, expect, it } from 'vitest';
import { decide, JUDGE_WEIGHTS } from '../../lambdas/creative/council.ts';
import { mark, RUBRICS, totalOf, type RubricName } from '../../lambdas/creative/rubric.ts';
import { Brief, type Variation } from '../../lambdas/creative/types.ts';
import { BRIEF, creativeRun } from '../support/creative-run.ts';

const NAMES = ['creative', 'psychology', 'logic'] as const satisfies readonly RubricName[];
const THRESHOLD = 85;

function good(): Variation {
  const [first] = creativeRun('t').plan.variations;
  if (!first) throw new Error('no plan');
  return first;
}

function itemsOf(variation: Variation, brief = BRIEF): Record<string, number | null> {
  return Object.fromEntries(
    NAMES.flatMap((name) => mark(name, variation, brief).map(({ item, points }) => [item, points])),
  );
}

function council(variation: Variation, brief = BRIEF) {
  return decide(
    variation.id,
    NAMES.map((judge) => ({
      judge,
      weight: JUDGE_WEIGHTS[judge],
      score: totalOf(mark(judge, variation, brief)),
      items: {},
      answeredBy: 'rubric' as const,
      notes: [],
    })),
    0,
    { threshold: THRESHOLD },
  );
}

const relabel = (variation: Variation, role: string, textOverlay: string): Variation => ({
  ...variation,
  shots: variation.shots.map((shot) => (shot.role === role ? { ...shot, textOverlay } : shot)),
});
/** Every mention of a word goes; the rest stays. */
const without = (variation: Variation, words: RegExp): Variation => ({
  ...variation,
  hook: { ...variation.hook, text: variation.hook.text.replaceAll(words, 'zzz') },
  primaryText: variation.primaryText.replaceAll(words, 'zzz'),
  headline: variation.headline.replaceAll(words, 'zzz'),
  shots: variation.shots.map((shot) => ({
    ...shot,
    textOverlay: shot.textOverlay.replaceAll(words, 'zzz'),
  })),
});

const FLAWS: readonly [RubricName, string, (variation: Variation) => Variation][] = [
  ['creative', 'hook', (one) => ({ ...one, hook: { type: 'story', text: 'Hm' } })],
  ['creative', 'emotion', (one) => ({ ...one, emotionalTriggers: [] })],
  ['creative', 'value', (one) => without(one, /lumo lamp/gi)],
  ['creative', 'callToAction', (one) => relabel(one, 'cta', '')],
  ['creative', 'virality', (one) => ({ ...one, hashtags: [] })],
  ['psychology', 'pain', (one) => without(one, /\b(tired|eyes|night|harsh|office)\b/gi)],
  ['psychology', 'triggers', (one) => ({ ...one, emotionalTriggers: [] })],
  ['psychology', 'proof', (one) => without(one, /tested|homes/gi)],
  ['psychology', 'authority', (one) => ({ ...one, headline: `${one.headline}, clinically proven` })],
  ['psychology', 'scarcity', (one) => ({ ...one, headline: `${one.headline}. Hurry, only 40 left` })],
  ['logic', 'flow', (one) => ({ ...one, shots: one.shots.toReversed() })],
  ['logic', 'argument', (one) => relabel(one, 'solution', 'Look at this')],
  ['logic', 'consistency', (one) => ({ ...one, headline: 'Something else' })],
  ['logic', 'claims', (one) => ({ ...one, primaryText: `${one.primaryText} 73% agree.` })],
  ['logic', 'nextStep', (one) => ({ ...one, primaryText: 'tired eyes at night? Lumo lamp. better sleep' })],
];

describe('the rubric', () => {
  it('has the fifteen items of the requirements, a hundred points per judge', () => {
    for (const name of NAMES) expect(RUBRICS[name].reduce<number>((sum, { max }) => sum + max, 0)).toBe(100);
    const names = NAMES.flatMap((name) => RUBRICS[name].map(({ item }) => `${name}/${item}`));
    expect(FLAWS.map(([name, item]) => `${name}/${item}`)).toEqual(names);
  });

  it('gives a good plan nearly everything', () => {
    expect(council(good()).score).toBeGreaterThan(95);
  });

  it.each(FLAWS)('%s: %s falls for its flaw, and the verdict with it', (judge, item, plant) => {
    const before = good();
    const after = plant(before);
    expect(itemsOf(after)[item]).toBeLessThan(itemsOf(before)[item] ?? 0);
    expect(totalOf(mark(judge, after, BRIEF))).toBeLessThan(totalOf(mark(judge, before, BRIEF)));
    expect(council(after).score).toBeLessThan(council(before).score ?? 0);
    expect(mark(judge, after, BRIEF).find((one) => one.item === item)?.note).toEqual(expect.any(String));
  });

  it('approves a plan with small flaws and refuses one with many, by the whole', () => {
    const small = FLAWS.find(([, item]) => item === 'virality')?.[2](good()) ?? good();
    expect(council(small)).toMatchObject({ approved: true });
    const spoilt = FLAWS.filter(([, item]) => ['hook', 'flow', 'argument', 'claims'].includes(item)).reduce(
      (one, [, , plant]) => plant(one),
      good(),
    );
    expect(council(spoilt)).toMatchObject({ approved: false });
    expect(council(spoilt).score).toBeLessThan(THRESHOLD);
  });

  it('sees a claim that only a hashtag makes', () => {
    const tagged = { ...good(), hashtags: ['#BestLamp'] };
    expect(itemsOf(tagged)).toMatchObject({ claims: 0, authority: 0 });
  });

  it('leaves out what cannot apply instead of giving points for it', () => {
    const bare = Brief.parse({ ...BRIEF, pains: [], desires: [], proofPoints: [] });
    expect(itemsOf(good(), bare)).toMatchObject({ pain: null, emotion: null, proof: null });
    const marks = [
      { item: 'a', max: 30, points: 15, note: null },
      { item: 'b', max: 70, points: null, note: null },
    ];
    expect(totalOf(marks)).toBe(50);
    expect(totalOf([])).toBe(0);
  });
});
