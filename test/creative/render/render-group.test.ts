import { mkdir, readFile, readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderCommand } from '../../../lambdas/creative/render/command.ts';
import { measureOutput } from '../../../lambdas/creative/render/measure-output.ts';
import { renderGroup } from '../../../lambdas/creative/render/render-group.ts';
import type { RenderedGroupVariation } from '../../../lambdas/creative/render/render-group.ts';
import type { RenderSpec } from '../../../lambdas/creative/render/render-spec.ts';
import { FORMATS } from '../../../lambdas/creative/types.ts';
import type { Format, Variation } from '../../../lambdas/creative/types.ts';
import {
  FONT_PATH,
  ffmpeg,
  font,
  makeSource,
  sampleSpec,
  sha256,
  variation,
  workDirectory,
} from './sample.ts';

const work = workDirectory();
let sourcePath = '';
beforeAll(async () => {
  sourcePath = await makeSource(work.path('source.mp4'));
});

async function render(
  name: string,
  specs: RenderSpec[],
  rest: Partial<Parameters<typeof renderGroup>[0]> = {},
): Promise<RenderedGroupVariation[]> {
  const workDir = work.path(name);
  await mkdir(workDir);
  return renderGroup({ specs, sourcePath, workDir, fontPath: FONT_PATH, ffmpeg, ...rest });
}

/** Hash of every decoded frame of a tenth of the size, and of all decoded samples. */
async function decoded(path: string): Promise<{ picture: string; sound: string }> {
  const pictures = await ffmpeg.run([
    '-i',
    path,
    '-vf',
    'fps=6,scale=54:54',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-',
  ]);
  const sound = await ffmpeg.run(['-i', path, '-vn', '-f', 's16le', '-']);
  return { picture: sha256(pictures.stdout), sound: sha256(sound.stdout) };
}

const [first, second, third] = variation.shots;
if (!first || !second || !third) throw new Error('three shots');
const AXES: Record<string, Partial<Variation>> = {
  'v-00000000000b': { hook: { type: 'story', text: 'Cut nothing yourself' } },
  'v-00000000000c': { shots: [second, first, third] },
  'v-00000000000d': { captionStyle: 'boxed' },
  'v-00000000000e': { grade: 'warm' },
  'v-00000000000f': { callToAction: { type: 'buy_now', text: 'Buy now' } },
  'v-000000000010': { pace: 'fast' },
};
const base = sampleSpec({ id: 'v-00000000000a' });
const specs = [base, ...Object.entries(AXES).map(([id, change]) => sampleSpec({ id, ...change }))];

describe('a render group', () => {
  let results: RenderedGroupVariation[] = [];
  const percents: number[] = [];
  beforeAll(async () => {
    results = await render('group', specs, { onProgress: (percent) => void percents.push(percent) });
  });
  const file = (id: string) => {
    const found = results.find((result) => result.variationId === id)?.renditions[0];
    if (found === undefined) throw new Error(`no ${id}`);
    return found;
  };

  it('makes one compliant file and one thumbnail of each variation, with measured facts', async () => {
    expect(results.map((result) => result.variationId)).toEqual(specs.map((spec) => spec.variation.id));
    for (const { renditions, thumbnailPath } of results) {
      const [rendition] = renditions;
      expect(rendition?.compliance.checks.filter((check) => !check.passed)).toEqual([]);
      expect(rendition).toMatchObject({ width: 1080, height: 1080, videoCodec: 'h264', audioCodec: 'aac' });
      expect(Math.abs((rendition?.loudnessLufs ?? 0) + 14)).toBeLessThanOrEqual(1);
      expect((await readFile(thumbnailPath)).subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    }
    expect((await readdir(work.path('group'))).filter((name) => name.includes('.part.'))).toEqual([]);
  });

  it('reports progress that only rises and ends at 100', () => {
    expect(percents.at(-1)).toBe(100);
    expect(percents.toSorted((a, b) => a - b)).toEqual(percents);
    expect(new Set(percents).size).toBe(percents.length);
  });

  it.each(Object.entries(AXES))('%s differs from the base in pixels or sound: %o', async (id) => {
    const [plain, other] = await Promise.all([decoded(file(base.variation.id).path), decoded(file(id).path)]);
    expect(other.picture).not.toBe(plain.picture);
    const soundDiffers = ['v-00000000000c', 'v-000000000010'].includes(id);
    expect(other.sound === plain.sound).toBe(!soundDiffers);
  });

  it('gives a variation the same bytes alone as in the group', async () => {
    const [alone] = await render('alone', specs.slice(1, 2));
    const grouped = await readFile(file('v-00000000000b').path);
    expect(sha256(await readFile(alone?.renditions[0]?.path ?? ''))).toBe(sha256(grouped));
  });
});

describe('the renditions of a variation', () => {
  it('are one idea in exact sizes: same length, same sound, own picture', async () => {
    const words = [{ text: 'Hello', startMs: 2200, endMs: 2900, confidence: 1 }];
    const formats: Format[] = ['9:16', '16:9'];
    const music = { kind: 'generated', mood: 'warm' };
    const spec = sampleSpec({ shots: [first, second] }, { formats, music });
    const shots = spec.shots.map((shot, index) => ({ ...shot, words: index === 1 ? words : [] }));
    const [made] = await render('formats', [{ ...spec, shots }]);
    const [tall, wide] = made?.renditions ?? [];
    if (!tall || !wide) throw new Error('two renditions');
    expect([tall.width, tall.height, wide.width, wide.height]).toEqual([
      FORMATS['9:16'].width,
      FORMATS['9:16'].height,
      1920,
      1080,
    ]);
    expect(tall.durationMs).toBe(wide.durationMs);
    expect((await decoded(tall.path)).sound).toBe((await decoded(wide.path)).sound);
    expect(tall.compliance.passed && wide.compliance.passed).toBe(true);
  });

  it('have sound and picture even when the source is silent and an own track, logo and voice are given', async () => {
    await ffmpeg.run(['-y', '-i', sourcePath, '-an', '-c', 'copy', work.path('silent.mp4')]);
    await ffmpeg.run(['-y', '-f', 'lavfi', '-i', 'sine=f=330:d=1', work.path('track.wav')]);
    await ffmpeg.run(['-y', '-f', 'lavfi', '-i', 'sine=f=700:d=2', work.path('voice.wav')]);
    await ffmpeg.run([
      '-y',
      '-f',
      'lavfi',
      '-i',
      'color=red:s=80x40:d=0.1:r=10',
      '-frames:v',
      '1',
      work.path('logo.png'),
    ]);
    const spec = sampleSpec(
      { shots: [second, third] },
      { music: { kind: 'asset', key: 'm' }, logo: 'l', voiceOver: 'v' },
    );
    const silent = { ...spec, source: { ...spec.source, hasAudio: false } };
    const assetPaths = { m: work.path('track.wav'), l: work.path('logo.png'), v: work.path('voice.wav') };
    const [made] = await render('silent', [silent], { sourcePath: work.path('silent.mp4'), assetPaths });
    expect(made?.renditions[0]?.compliance.checks.filter((check) => !check.passed)).toEqual([]);
    await expect(
      render('unfetched', [silent], { sourcePath: work.path('silent.mp4') }),
    ).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('fail the audio check when there is nothing to hear', async () => {
    const spec = sampleSpec({ shots: [second, third] });
    const [made] = await render('mute', [{ ...spec, source: { ...spec.source, hasAudio: false } }]);
    expect(
      made?.renditions[0]?.compliance.checks.filter((check) => !check.passed).map((check) => check.name),
    ).toEqual(['audio', 'loudness']);
  });
});

describe('the command', () => {
  const options = {
    sourcePath: '/in.mp4',
    workDir: '/w',
    font,
    outputPath: (id: string, format: Format) => `/w/${id}-${format}`,
    loudness: [],
  };
  const inputs = (all: RenderSpec[]) => renderCommand(all, options).args.filter((arg) => arg === '-i').length;

  it('reads a shot once for all variations that show it at about the same time, and again for those that do not', () => {
    expect(inputs([base])).toBe(3);
    expect(inputs([base, { ...base, variation: { ...base.variation, grade: 'warm' } }])).toBe(3);
    expect(inputs([sampleSpec({}, { formats: ['9:16', '1:1', '4:5', '16:9'] })])).toBe(3);
    expect(inputs([base, sampleSpec({ shots: [second, first, third] })])).toBe(5);
  });

  it('seeks to each shot and never holds text of the plan', () => {
    const { args, textFiles } = renderCommand(
      [sampleSpec({ hook: { type: 'story', text: `'; [0:v] {\\an8}%:` } })],
      options,
    );
    const seeks = args.filter((_, index) => args[index - 1] === '-ss');
    expect(seeks).toEqual(['0.000', '2.000', '5.000']);
    expect(args.join(' ')).not.toContain('an8');
    expect(textFiles.map(({ path }) => path)).toEqual(['/w/v-0123456789ab-1x1.ass']);
    expect(textFiles[0]?.text).toContain('\\{\\\u200ban8\\}%:');
  });

  it('refuses specs of two sources', () => {
    const other = { ...base, source: { ...base.source, sha256: 'b'.repeat(64) } };
    expect(() => renderCommand([base, other], options)).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }),
    );
  });
});

describe('measuring a file', () => {
  it('refuses what is not a video', async () => {
    await ffmpeg.run(['-y', '-f', 'lavfi', '-i', 'sine=d=1', work.path('sound.mp4')]);
    await expect(measureOutput(work.path('sound.mp4'), ffmpeg)).rejects.toThrow();
  });
});
