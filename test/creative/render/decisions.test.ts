import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeasuredRendition } from '../../../lambdas/creative/render/compliance.ts';
import { contrastRatio, judgeCompliance } from '../../../lambdas/creative/render/compliance.ts';
import { PRESETS, encodeArgs } from '../../../lambdas/creative/render/encode-presets.ts';
import { pictureText } from '../../../lambdas/creative/render/picture-text.ts';
import { RenderSpec, canonicalJson, specHash } from '../../../lambdas/creative/render/render-spec.ts';
import {
  MAX_AD_MS,
  MIN_AD_MS,
  outputRate,
  segmentAudio,
  segmentVideo,
  timeline,
} from '../../../lambdas/creative/render/timeline.ts';
import { CAPTION_STYLES, FORMATS, PACES, TEMPLATES, TRANSITIONS } from '../../../lambdas/creative/types.ts';
import type { Format } from '../../../lambdas/creative/types.ts';
import { font, sampleSpec, variation } from './sample.ts';

describe('the hash of a spec', () => {
  it('is the same whatever the order of fields and the other formats', () => {
    const spec = sampleSpec();
    const turned = Object.fromEntries(Object.entries(spec).toReversed()) as RenderSpec;
    expect(specHash(turned)).toBe(specHash(spec));
    expect(specHash({ ...spec, formats: ['9:16', '16:9'] })).toBe(specHash(spec));
    expect(
      specHash({ ...spec, variation: { ...spec.variation, primaryText: 'A post', headline: 'x' } }),
    ).toBe(specHash(spec));
    expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  });

  it('changes with everything that changes a pixel or a sample', () => {
    const [first, second, third] = variation.shots;
    if (!first || !second || !third) throw new Error('three shots');
    const others = [
      sampleSpec({ hook: { type: 'question', text: 'Another' } }),
      sampleSpec({ grade: 'warm' }),
      sampleSpec({ captionStyle: 'boxed' }),
      sampleSpec({ pace: 'fast' }),
      sampleSpec({ template: 'list' }),
      sampleSpec({ callToAction: { type: 'buy_now', text: 'Buy now' } }),
      sampleSpec({ shots: [second, first, third] }),
      sampleSpec({}, { music: { kind: 'generated', mood: 'warm' } }),
      sampleSpec({}, { seed: 2 }),
      sampleSpec({}, { preset: 'final' }),
      sampleSpec({}, { loudnessLufs: -16 }),
      sampleSpec({}, { logo: 't/assets/logo.png' }),
      sampleSpec({}, { voiceOver: 't/assets/voice.wav' }),
    ];
    expect(new Set([sampleSpec(), ...others].map(specHash)).size).toBe(others.length + 1);
  });

  it('refuses a shot outside the source and a missing focus', () => {
    const outside = { ...variation.shots[0], endMs: 9000 };
    expect(() => sampleSpec({ shots: [outside as (typeof variation.shots)[number]] })).toThrow(
      /8000 ms source/,
    );
    expect(RenderSpec.safeParse({ ...sampleSpec(), shots: [] }).success).toBe(false);
  });
});

describe('timeline', () => {
  const shot = fc.record({
    startMs: fc.integer({ min: 0, max: 100_000 }),
    lengthMs: fc.integer({ min: 200, max: 20_000 }),
    transition: fc.constantFrom(...TRANSITIONS),
  });

  it('lasts 3 to 90 s, in whole frames, every shot overlapping only its neighbour', () => {
    fc.assert(
      fc.property(
        fc.array(shot, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...PACES),
        fc.constantFrom(23.976, 25, 29.97, 30, 59.94, 120),
        (shots, pace, frameRate) => {
          const planned = shots.map(({ startMs, lengthMs, transition }) => ({
            ...variation.shots[0],
            startMs,
            endMs: startMs + lengthMs,
            transition,
          })) as typeof variation.shots;
          const spec = { ...sampleSpec(), variation: { ...variation, shots: planned, pace } };
          const line = timeline({ ...spec, source: { ...spec.source, durationMs: 120_000, frameRate } });
          expect(line.totalMs).toBeGreaterThanOrEqual(MIN_AD_MS);
          expect(line.totalMs).toBeLessThanOrEqual(MAX_AD_MS);
          let end = 0;
          for (const segment of line.segments) {
            expect(segment.startFrame).toBe(end - segment.overlapFrames);
            expect(segment.overlapFrames * 3).toBeLessThanOrEqual(segment.frames);
            expect(segment.sourceMs).toBeLessThanOrEqual(
              (planned[segment.index]?.endMs ?? 0) - segment.sourceStartMs,
            );
            end = segment.startFrame + segment.frames;
          }
          expect(end).toBe(line.totalFrames);
        },
      ),
    );
  });

  it('keeps the plan’s order and plays it slower or faster by pace', () => {
    const [calm, steady, fast] = (['calm', 'steady', 'fast'] as const).map((pace) =>
      timeline(sampleSpec({ pace })),
    );
    expect(calm?.totalMs).toBeGreaterThan(steady?.totalMs ?? 0);
    expect(fast?.totalMs).toBeLessThan(steady?.totalMs ?? 0);
    expect(steady?.segments.map((segment) => segment.sourceStartMs)).toEqual([0, 2000, 5000]);
    expect(steady?.segments.map((segment) => segment.overlapFrames)).toEqual([0, 11, 0]);
  });

  it('makes each shot exactly its frames and samples long', () => {
    const line = timeline(sampleSpec({ pace: 'fast' }));
    const first = line.segments[0];
    if (first === undefined) throw new Error('a segment');
    expect(segmentVideo(line, first)).toBe(
      'setpts=PTS/1.12,fps=30/1,tpad=stop=-1:stop_mode=clone,trim=end_frame=37,settb=AVTB',
    );
    expect(segmentAudio(line, first)).toBe(
      'aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,atempo=1.12,apad,atrim=end=1.233333',
    );
    expect(
      [outputRate(59.94), outputRate(50), outputRate(23.98), outputRate(12)].map(({ num, den }) => num / den),
    ).toEqual([30000 / 1001, 25, 24000 / 1001, 24000 / 1001]);
  });

  it('refuses a shot outside the video', () => {
    const spec = sampleSpec();
    expect(() => timeline({ ...spec, source: { ...spec.source, durationMs: 4000 } })).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }),
    );
  });
});

describe('encode presets', () => {
  it('publish H.264 at CRF 23 with AAC 128k, in front the index, without dates', () => {
    expect(encodeArgs('final').join(' ')).toBe(
      '-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -profile:v high -threads:v 2 -g 60 -c:a aac -b:a 128k -ar 48000 -ac 2 ' +
        '-movflags +faststart -map_metadata -1 -map_chapters -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -f mp4',
    );
    expect(PRESETS.draft.crf).toBeGreaterThan(PRESETS.final.crf);
  });
});

describe('text of a rendition', () => {
  it('stays in the safe area and readable in every template, style and format, with the longest texts', () => {
    const long = 'Wm'.repeat(19);
    for (const template of TEMPLATES)
      for (const captionStyle of CAPTION_STYLES)
        for (const format of Object.keys(FORMATS) as Format[]) {
          const shots = variation.shots.map((shot) => ({
            ...shot,
            textOverlay: 'Every week hours go into cutting what a machine cuts',
          }));
          const spec = sampleSpec({
            template,
            captionStyle,
            shots,
            hook: { type: 'story', text: long },
            callToAction: { type: 'buy_now', text: 'W'.repeat(30) },
          });
          const { texts } = pictureText(spec, format, timeline(spec), font);
          const verdict = judgeCompliance({ ...good, format, ...FORMATS[format], texts });
          expect(
            verdict.checks.filter((check) => !check.passed),
            `${template} ${captionStyle} ${format}`,
          ).toEqual([]);
        }
  });

  it('captions what is said and moves the plan’s text to a lower third; unheard shots are captioned by the plan', () => {
    const words = [{ text: 'Spoken', startMs: 2400, endMs: 2700, confidence: 1 }];
    const spec = sampleSpec();
    const shots = spec.shots.map((shot, index) => (index === 1 ? { ...shot, words } : shot));
    const heard = pictureText({ ...spec, shots }, '1:1', timeline(spec), font).texts;
    expect(heard.filter((text) => text.what === 'caption').map((text) => text.text)).toEqual(['SPOKEN']);
    expect(heard.filter((text) => text.what === 'lower-third').map((text) => text.text)).toEqual([
      'Hours lost every week',
    ]);
    const unheard = pictureText(spec, '1:1', timeline(spec), font).texts;
    expect(unheard.filter((text) => text.what === 'caption').map((text) => text.text)).toEqual([
      'HOURS LOST',
      'EVERY WEEK',
    ]);
    expect(unheard.some((text) => text.what === 'lower-third')).toBe(false);
  });
});

const good: MeasuredRendition = {
  format: '9:16',
  width: 1080,
  height: 1920,
  durationMs: 15_000,
  hookText: 'Still editing by hand?',
  texts: [
    {
      what: 'caption',
      text: 'x',
      startMs: 0,
      endMs: 1,
      fontPx: 50,
      colour: '#ffffff',
      background: '#000000',
      x: 200,
      y: 600,
      width: 300,
      height: 60,
    },
  ],
  undrawable: [],
  loudnessLufs: -14.3,
  targetLufs: -14,
};

describe('compliance', () => {
  const failing = (change: Partial<MeasuredRendition>): string[] =>
    judgeCompliance({ ...good, ...change })
      .checks.filter((check) => !check.passed)
      .map((check) => check.name);
  const [text] = good.texts;
  if (text === undefined) throw new Error('a text');

  it('passes a good ad, and warns of one over a minute', () => {
    expect(judgeCompliance(good)).toMatchObject({ passed: true, warnings: [] });
    expect(judgeCompliance({ ...good, durationMs: 61_000 })).toMatchObject({
      passed: true,
      warnings: [expect.stringContaining('61.0 s')],
    });
  });

  it.each<[string, Partial<MeasuredRendition>]>([
    ['resolution', { width: 1078 }],
    ['duration', { durationMs: 2990 }],
    ['duration', { durationMs: 90_100 }],
    ['hook', { hookText: 'x'.repeat(39) }],
    ['hook', { hookText: '' }],
    ['subtitles', { texts: [] }],
    ['safe-zone', { texts: [{ ...text, y: 200 }] }],
    ['safe-zone', { texts: [{ ...text, y: 1200 }] }],
    ['safe-zone', { texts: [{ ...text, x: 20 }] }],
    ['contrast', { texts: [{ ...text, colour: '#8a8a8a', background: '#ffffff' }] }],
    ['font', { undrawable: ['ש'] }],
    ['loudness', { loudnessLufs: -16 }],
  ])('fails %s alone for its own flaw', (name, change) => {
    expect(failing(change)).toEqual([name]);
  });

  it('fails a silent ad', () => {
    expect(failing({ loudnessLufs: null })).toEqual(['audio', 'loudness']);
    expect(failing({ loudnessLufs: Number.NEGATIVE_INFINITY })).toEqual(['audio', 'loudness']);
  });

  it('knows the WCAG ratios', () => {
    expect(contrastRatio('#000000', '#ffffff')).toBeCloseTo(21, 5);
    expect(contrastRatio('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
    expect(contrastRatio('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });
});
