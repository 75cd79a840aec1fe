import { describe, expect, it } from 'vitest';
import { painter } from '../../lib/laptop/screen.ts';
import {
  accountSection,
  changesSection,
  filesSection,
  planSection,
  scenesSection,
  verdictsSection,
} from '../../lib/laptop/summary.ts';
import type { Change } from '../../lambdas/changes/change.ts';
import type { Report } from '../../lib/laptop/summary.ts';

const plain = painter(false);
const ctr = (subject: string, source: 'model' | 'fallback') => ({
  subject,
  probability: 0.0156,
  low: 0.01,
  high: 0.02,
  modelVersion: '0',
  source,
});
const measured = {
  motion: 0.34,
  brightness: 0.17,
  contrast: 0.5,
  saturation: 0.5,
  sharpness: 0.5,
  loudnessLufs: null,
  silenceRatio: null,
  focus: { x: 0.5, y: 0.5 },
  words: null,
  frameKey: 'demo/frames/x/s01.jpg',
};
const report: Report = {
  features: {
    list: [
      {
        ...measured,
        id: 's01',
        startMs: 0,
        endMs: 4_000,
        objects: [{ name: 'Cup', count: 1, confidence: 0.9 }],
        texts: ['Sip.'],
        missing: [],
      },
      {
        ...measured,
        id: 's02',
        startMs: 4_000,
        endMs: 8_500,
        objects: null,
        texts: null,
        missing: ['objects', 'words'],
      },
    ],
  },
  ranked: {
    list: [{ sceneId: 's02', rank: 1, score: 0.6214, parts: {}, missing: [], duplicateOf: null }],
  },
  predictions: { list: [ctr('s01', 'model'), ctr('s02', 'fallback')] },
  plan: {
    id: 'p',
    title: 'Brewly',
    writtenBy: 'default-strategy',
    needsReview: false,
    reasons: [],
    variations: [
      {
        id: 'v-0123456789ab',
        title: 't',
        hook: { type: 'question', text: 'Cold coffee?' },
        template: 'demo',
        shots: [
          { sceneId: 's02', startMs: 4_000, endMs: 6_500, role: 'hook', textOverlay: '', transition: 'cut' },
          { sceneId: 's01', startMs: 0, endMs: 2_000, role: 'cta', textOverlay: '', transition: 'cut' },
        ],
        callToAction: { type: 'buy_now', text: 'Buy now' },
        captionStyle: 'bold',
        grade: 'warm',
        pace: 'fast',
        primaryText: '',
        headline: '',
        hashtags: [],
        targetAudience: '',
        emotionalTriggers: [],
      },
    ],
  },
  forecasts: {
    list: [
      {
        variationId: 'v-0123456789ab',
        score: 92.14,
        hook: 8.1,
        callToAction: 10,
        engagement: 9.5,
        conversion: 5,
        roas: { expected: 1.28, low: 0.31, high: 5.13 },
        ctr: ctr('v-0123456789ab', 'fallback'),
        reasons: [],
        forecastBy: 'features',
      },
    ],
  },
  verdicts: {
    list: [
      {
        variationId: 'v-0123456789ab',
        score: 84.9,
        approved: false,
        judges: [
          { judge: 'creative', weight: 0.4, score: 90, items: {}, answeredBy: 'rubric', notes: [] },
          { judge: 'ctr', weight: 0.2, score: null, items: {}, answeredBy: 'nobody', notes: [] },
        ],
        disagreement: 0,
        rewrites: 3,
      },
    ],
  },
  rendered: [],
};

describe('the summary', () => {
  it('shows each scene with score and prediction, and says what is missing and what is a fallback', () => {
    const [, title, head, first, second] = scenesSection(report, plain);
    expect(title).toBe('Scenes and scores (2)');
    expect(head?.split(/ {2,}/).filter(Boolean)).toEqual([
      'scene',
      'time',
      'rank',
      'score',
      'CTR',
      'motion',
      'light',
      'seen',
    ]);
    expect(first).toMatch(/s01 .*0\.0–4\.0 s .*1\.56 % .*0\.34 .*Cup, “Sip\.”$/);
    expect(second).toMatch(/s02 .*4\.0–8\.5 s +1 +0\.621 +1\.56 % \(fallback\) .*missing: objects, words$/);
  });

  it('tells a variation by hook, shots, call to action, grade and pace', () => {
    const text = planSection(report, plain).join('\n');
    expect(text).toContain('Battle plan: Brewly (written by the default strategy)');
    expect(text).toContain('1. “Cold coffee?”  v-0123456789ab');
    expect(text).toContain('question, demo, fast, warm, captions bold, 4.5 s');
    expect(text).toContain('s02 hook → s01 cta');
    expect(text).toContain('“Buy now” (buy_now)');
  });

  it('shows verdicts of every judge, a dash for one that did not answer, and labelled forecasts', () => {
    const text = verdictsSection(report, plain).join('\n');
    expect(text).toMatch(/1 +84\.9 +rejected +90 +– +– +– +3/);
    expect(text).toMatch(/1 +92\.1 +8\.1 +10\.0 +9\.5 +5\.0 +1\.28 \(0\.31–5\.13\) +1\.56 % \(fallback\)/);
  });

  it('lists files by path, objects by id and status, and the changes that are held', () => {
    const files = filesSection(
      [{ label: '9:16', path: '/r/1.mp4', durationMs: 9_500, sizeBytes: 2_100_000, passed: false }],
      plain,
    );
    expect(files).toContain('  /r/1.mp4');
    expect(files.at(-1)).toContain('9:16, 9.5 s, 2.1 MB  fails the compliance check');
    expect(
      accountSection('42', [{ kind: 'ad', id: '7', name: 'n', status: 'PAUSED' }], plain).join('\n'),
    ).toMatch(/act_42\n.*\n +ad +7 +PAUSED +n/);
    const change = { status: 'HELD', kind: 'ACTIVATE', entity: { kind: 'ad', id: '7' }, id: 'chg-1' };
    const text = changesSection([{ ...change, reason: 'Launch of “x”: the ad “y”.' } as Change], plain).join(
      '\n',
    );
    expect(text).toContain('Go-live changes waiting (1, 1 held until a person approves)');
    expect(text).toMatch(/HELD +ACTIVATE +ad 7 +chg-1 +the ad “y”\./);
  });
});
