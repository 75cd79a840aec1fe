// Is every plan refused that cannot be filmed or says what the advertiser did not?
import { describe, expect, it } from 'vitest';
import {
  inventedScarcity,
  isHonest,
  tagWords,
  unsupportedClaims,
} from '../../lambdas/creative/honest-claims.ts';
import { planProblems } from '../../lambdas/creative/plan-check.ts';
import { Brief, type Variation } from '../../lambdas/creative/types.ts';
import { variationId, withId } from '../../lambdas/creative/variation-id.ts';
import { hashtag, hooks, postText, shorten } from '../../lambdas/creative/wording.ts';
import { BRIEF, creativeRun, scenesOf, SHA256 } from '../support/creative-run.ts';

const { variations } = creativeRun('t').plan;
const [GOOD] = variations;
if (!GOOD) throw new Error('no plan');
const shot = GOOD.shots[0];
if (!shot) throw new Error('no shot');
const problems = (change: Partial<Variation>): string[] =>
  planProblems([{ ...GOOD, ...change }], scenesOf('t'), BRIEF);

describe('a plan', () => {
  it('is accepted when it can be filmed and says what the brief says', () => {
    expect(planProblems(variations, scenesOf('t'), BRIEF)).toEqual([]);
  });

  it.each<[string, Partial<Variation>, RegExp]>([
    ['an unknown scene', { shots: [{ ...shot, sceneId: 's77' }] }, /cites scene s77/],
    [
      'footage after its scene',
      { shots: [{ ...shot, sceneId: 's01', startMs: 0, endMs: 4001 }] },
      /0–4001 ms from/,
    ],
    [
      'footage before its scene',
      { shots: [{ ...shot, sceneId: 's02', startMs: 3999, endMs: 8000 }] },
      /3999–8000/,
    ],
    ['an empty shot', { shots: [...GOOD.shots, { ...shot, startMs: shot.endMs }] }, /takes/],
    [
      'less than three seconds',
      { shots: [{ ...shot, sceneId: 's01', startMs: 0, endMs: 2999 }] },
      /2\.999 s long/,
    ],
    [
      'more than ninety',
      { shots: Array.from({ length: 23 }, () => ({ ...shot, sceneId: 's01', startMs: 0, endMs: 4000 })) },
      /92 s/,
    ],
    ['a number in the hook', { hook: { type: 'statistic', text: '73% sleep better' } }, /does not: 73%/],
    ['a superlative in the post', { primaryText: 'The best lamp' }, /best/],
    ['proof in the headline', { headline: 'Clinically tested' }, /clinically/],
    [
      'scarcity on a shot',
      { shots: [{ ...shot, textOverlay: 'Only few left' }, ...GOOD.shots] },
      /only few left/,
    ],
    ['a deadline as the call', { callToAction: { type: 'buy_now', text: 'Hurry' } }, /hurry/],
    ['a claim in a hashtag', { hashtags: ['#BestLamp'] }, /best/],
  ])('is refused for %s', (_, change, said) => {
    expect(problems(change).join('\n')).toMatch(said);
  });

  it('is refused when it holds the same variation twice', () => {
    expect(planProblems([GOOD, GOOD], scenesOf('t'), BRIEF)).toEqual([
      expect.stringMatching(/same as an earlier/),
    ]);
  });
});

describe('a variation’s id', () => {
  const { id: _, ...parts } = GOOD;
  it('is of the idea and the source, not of its working title', () => {
    expect(variationId({ ...parts, title: 'other' }, SHA256)).toBe(GOOD.id);
    expect(variationId(parts, 'cd'.repeat(32))).not.toBe(GOOD.id);
    expect(withId(GOOD, SHA256)).toEqual(GOOD);
  });
  it('is another when anything seen, heard or read is another', () => {
    const others: Partial<Variation>[] = [
      { grade: 'mono' },
      { pace: 'calm', captionStyle: 'boxed' },
      { shots: GOOD.shots.toReversed() },
      { primaryText: 'x' },
      { callToAction: { type: 'download', text: 'x' } },
    ];
    const ids = others.map((change) => variationId({ ...parts, ...change }, SHA256));
    expect(new Set([...ids, GOOD.id]).size).toBe(6);
  });
});

describe('a claim', () => {
  const brief = Brief.parse({
    ...BRIEF,
    offer: 'Save 50% until Friday, limited time',
    proofPoints: ['Our best seller, bestowed on 1,200 homes'],
  });
  it('is honest exactly as the advertiser made it', () => {
    expect(isHonest('Save 50% in 1,200 homes. Our best seller. Limited time', brief)).toBe(true);
    expect(unsupportedClaims('50 1,2 12% 1200', brief)).toEqual(['50', '1,2', '12%', '1200']);
    expect(inventedScarcity('Hurry, last chance', brief)).toEqual(['hurry', 'last chance']);
  });
  it('is not vouched for by a part of another word, and counts in any script', () => {
    const bestowed = Brief.parse({ ...BRIEF, offer: 'bestowed light' });
    expect(unsupportedClaims('the best', bestowed)).toEqual(['best']);
    expect(unsupportedClaims('٧٣ من', BRIEF)).toEqual(['٧٣']);
  });
});

describe('wording', () => {
  it('cuts at words, never inside a number or a character', () => {
    expect(shorten('Warm light that follows your day', 20)).toBe('Warm light that');
    expect(shorten('Loved in 1 000 000 homes', 16)).toBe('Loved in');
    expect(shorten('Save 50 % today', 8)).toBe('Save');
    expect(shorten('7'.repeat(50), 38)).toBe('');
    expect(shorten('👩'.repeat(30), 37).isWellFormed()).toBe(true);
    expect(shorten('short', 38)).toBe('short');
  });
  it('makes hooks of every brief, none longer than 38 characters, none twice', () => {
    const long = Brief.parse({ ...BRIEF, product: 'W'.repeat(120), pains: ['w'.repeat(160)], desires: [] });
    for (const brief of [BRIEF, long]) {
      const texts = hooks(brief).map(({ text }) => text);
      expect(texts.length).toBeGreaterThan(0);
      expect(new Set(texts.map((text) => text.toLowerCase())).size).toBe(texts.length);
      for (const text of texts) expect(text.length).toBeLessThanOrEqual(38);
    }
  });
  it('calls a hook urgent only when the offer names a date', () => {
    const kinds = (offer: string) => hooks(Brief.parse({ ...BRIEF, offer })).map(({ type }) => type);
    expect(kinds('Free shade until Friday')).toContain('urgency');
    expect(kinds('Free shade')).not.toContain('urgency');
  });
  it('leaves sentences out of a post whole, and always says what to do', () => {
    const brief = Brief.parse({ ...BRIEF, product: 'P'.repeat(120), offer: 'O'.repeat(200) });
    const post = postText(brief, {
      pain: 'a'.repeat(160),
      desire: 'b'.repeat(160),
      proof: 'c'.repeat(200),
      call: 'Buy now',
    });
    expect(post.length).toBeLessThanOrEqual(500);
    expect(post).toMatch(/^A{0,1}a+\? P+: O+\. Buy now\.$/);
    expect(post).not.toContain('c');
  });
  it('makes hashtags without digits', () => {
    expect(hashtag('Save 50 today!')).toBe('#SaveToday');
    expect(hashtag('123')).toBeUndefined();
    expect(tagWords('#BestLamp50')).toBe('Best Lamp 50');
  });
});
