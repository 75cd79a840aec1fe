// Is every default plan honest, filmable and made of different ads, whatever the advertiser wrote?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPlan } from '../../lambdas/creative/director.ts';
import { planProblems } from '../../lambdas/creative/plan-check.ts';
import { rankScenes } from '../../lambdas/creative/media/rank.ts';
import { renderSpecs } from '../../lambdas/creative/render-input.ts';
import { MIN_SHOT_MS } from '../../lambdas/creative/render/render-spec.ts';
import { Brief, Variation, type RankedScene, type SceneFeatures } from '../../lambdas/creative/types.ts';
import { BRIEF, requestOf, scenesOf, SHA256, videoOf } from '../support/creative-run.ts';

const phrase = (max: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: max }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: max }),
      fc
        .array(
          fc.constantFrom(
            'save',
            '50 %',
            '1 000 000',
            '2x',
            '3.5',
            'the best',
            'only',
            '5',
            'left',
            'no.',
            '1',
            'hurry',
            '“quoted”',
            "it's",
            '--',
            '👩‍👩‍👧',
            'ß',
            'ночь',
            '٣٤',
            'until',
            'Friday',
            'W'.repeat(60),
          ),
          { minLength: 1, maxLength: 12 },
        )
        .map((words) => words.join(' ')),
      fc.integer({ min: 1, max }).map((length) => '7'.repeat(length)),
      fc.integer({ min: 1, max }).map((length) => 'Donaudampfschiff'.repeat(20).slice(0, length)),
    )
    .map((text) => text.slice(0, max))
    .filter((text) => text.length > 0);

const briefs = fc
  .record({
    product: phrase(120),
    offer: phrase(200),
    audience: phrase(200),
    pains: fc.array(phrase(160), { maxLength: 3 }),
    desires: fc.array(phrase(160), { maxLength: 3 }),
    proofPoints: fc.array(phrase(200), { maxLength: 3 }),
    callToAction: fc.constantFrom('book_call', 'download', 'buy_now', 'learn_more'),
    landingUrl: fc.constant('https://shop.example/'),
    count: fc.integer({ min: 5, max: 10 }),
    durationSeconds: fc.oneof(fc.constantFrom(3, 90), fc.integer({ min: 3, max: 90 })),
  })
  .map((brief) => Brief.parse(brief));

/** Consecutive scenes of a second and more. */
const footage = fc
  .array(fc.oneof(fc.constant(1000), fc.integer({ min: 1000, max: 20_000 })), { minLength: 1, maxLength: 12 })
  .map((lengths) => {
    const template = scenesOf('t');
    let startMs = 0;
    return lengths.map((lengthMs, index): SceneFeatures => {
      const base = template[index % template.length] as SceneFeatures;
      const id = `s${String(index + 1).padStart(2, '0')}`;
      startMs += lengthMs;
      return { ...base, id, startMs: startMs - lengthMs, endMs: startMs };
    });
  });

function plan(brief: Brief, scenes: SceneFeatures[]): Variation[] {
  const ranked = rankScenes(scenes, { heightPixels: 720 });
  return defaultPlan({ brief, scenes, ranked, sourceSha256: SHA256 }).variations;
}

const lengthMs = ({ shots }: Variation): number =>
  shots.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);

/** What decides pixels and sound, without the words of the post. */
const pixels = ({ hook, shots, callToAction, captionStyle, grade, pace, template }: Variation): string =>
  JSON.stringify({ hook, shots, callToAction, captionStyle, grade, pace, template });

/** The variations as the renderer takes them, after everything that must hold of each. */
function checked(brief: Brief, scenes: SceneFeatures[]): Variation[] {
  const variations = plan(brief, scenes);
  expect(variations).toHaveLength(brief.count);
  expect(planProblems(variations, scenes, brief)).toEqual([]);
  expect(new Set(variations.map(({ id }) => id)).size).toBe(brief.count);
  expect(new Set(variations.map(pixels)).size).toBe(brief.count);
  for (const variation of variations) {
    expect(Variation.parse(variation)).toEqual(variation);
    expect(variation.shots.length).toBeLessThanOrEqual(12);
    for (const { startMs, endMs } of variation.shots)
      expect(endMs - startMs).toBeGreaterThanOrEqual(MIN_SHOT_MS);
    const written = [variation.title, variation.hook.text, variation.primaryText, variation.headline];
    // Only an advertiser’s own broken character is passed on.
    const broken = JSON.stringify(brief).includes('\\ud');
    expect(broken || written.join('\n').isWellFormed()).toBe(true);
    expect(variation.primaryText).toContain(variation.callToAction.text);
  }
  const specs = renderSpecs(
    {
      request: requestOf('t', { brief }),
      video: videoOf('t', { durationMs: scenes.at(-1)?.endMs ?? 0 }),
      features: { list: scenes },
      plan: {
        id: 'plan',
        title: '',
        variations,
        writtenBy: 'default-strategy',
        needsReview: false,
        reasons: [],
      },
      variations: variations.map(({ id }) => id),
    },
    'draft',
  );
  return specs.map(({ variation }) => variation);
}

describe('the default strategy', () => {
  it('makes distinct, honest, filmable ads of any brief and any footage', () => {
    fc.assert(
      fc.property(briefs, footage, (brief, scenes) => {
        expect(checked(brief, scenes)).toEqual(plan(brief, scenes));
      }),
      { numRuns: 200 },
    );
  });

  it.each([3, 4, 15, 60, 90])('comes as near to %i s as the footage allows', (durationSeconds) => {
    const scenes = scenesOf('t');
    for (const variation of plan(Brief.parse({ ...BRIEF, durationSeconds, count: 10 }), scenes)) {
      // The video has 24 s.
      const most = Math.min(durationSeconds, 24) * 1000;
      expect(lengthMs(variation)).toBeGreaterThanOrEqual(Math.max(3000, 0.75 * most));
      expect(lengthMs(variation)).toBeLessThanOrEqual(Math.max(durationSeconds * 1000, 3000) + 800);
    }
  });

  it('makes ten different ads of a product, an offer and one scene of a second', () => {
    const brief = Brief.parse({
      product: 'Lamp',
      offer: 'Light',
      audience: 'people',
      landingUrl: 'https://shop.example/',
      count: 10,
    });
    const second = scenesOf('t')
      .slice(0, 1)
      .map((scene) => ({ ...scene, endMs: 1000 }));
    expect(checked(brief, second)).toHaveLength(10);
  });

  it('opens the first variations with different scenes, the best first, near-duplicates last', () => {
    const scenes = scenesOf('t');
    const ranked = rankScenes(scenes, { heightPixels: 720 }).map((one): RankedScene => ({
      ...one,
      duplicateOf: null,
    }));
    const opener = (list: typeof ranked): (string | undefined)[] =>
      defaultPlan({ brief: BRIEF, scenes, ranked: list, sourceSha256: SHA256 }).variations.map(
        ({ shots }) => shots[0]?.sceneId,
      );
    expect(opener(ranked)).toEqual(ranked.slice(0, 5).map(({ sceneId }) => sceneId));
    const [best, ...others] = ranked;
    if (!best) throw new Error('no scenes');
    const duplicate = { ...best, duplicateOf: others[0]?.sceneId ?? null };
    expect(opener([duplicate, ...others])[0]).toBe(others[0]?.sceneId);
  });

  it('shows no proof shot when the advertiser vouches for nothing', () => {
    const brief = Brief.parse({ ...BRIEF, proofPoints: [] });
    const roles = plan(brief, scenesOf('t')).flatMap(({ shots }) => shots.map(({ role }) => role));
    expect(roles).not.toContain('proof');
    expect(plan(BRIEF, scenesOf('t')).flatMap(({ shots }) => shots.map(({ role }) => role))).toContain(
      'proof',
    );
  });

  it('refuses to plan without footage', () => {
    expect(() => plan(BRIEF, [])).toThrow(/at least one scene/);
  });
});
