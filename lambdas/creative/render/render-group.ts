// How do a group's specs become finished, measured files?
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Format } from '../types.ts';
import type { Ffmpeg } from '../media/ffmpeg.ts';
import { undrawable } from './ass.ts';
import { fontsDirectory } from './asset-library.ts';
import type { Loudness } from './audio-mix.ts';
import { loudnessFor, readLoudness } from './audio-mix.ts';
import type { CommandOptions } from './command.ts';
import { measureCommand, renderCommand } from './command.ts';
import type { Compliance } from './compliance.ts';
import { judgeCompliance } from './compliance.ts';
import { readFont } from './font.ts';
import type { MeasuredOutput } from './measure-output.ts';
import { measureOutput } from './measure-output.ts';
import type { RenderSpec } from './render-spec.ts';
import { specHash } from './render-spec.ts';

export interface RenderGroupRequest {
  /** Variations of one source. */
  specs: readonly RenderSpec[];
  sourcePath: string;
  /** An existing directory of this group alone; everything is written here and stays until the caller removes it. */
  workDir: string;
  fontPath: string;
  ffmpeg: Pick<Ffmpeg, 'run'>;
  /** Local file of every asset key that a spec names. */
  assetPaths?: Readonly<Record<string, string>>;
  /** 0…100, rising. */
  onProgress?: (percent: number) => void;
  signal?: AbortSignal;
  timeoutMs?: number;
}

export interface RenderedFile extends MeasuredOutput {
  format: Format;
  path: string;
  compliance: Compliance;
}

export interface RenderedGroupVariation {
  variationId: string;
  specHash: string;
  renditions: RenderedFile[];
  /** A JPEG of the first rendition while the hook stands. */
  thumbnailPath: string;
}

/** Where in the ad the thumbnail is taken: the hook has come in, even in the shortest ad. */
const THUMBNAIL_SECONDS = '0.8';
/** Share of the progress bar that measuring the sound takes before anything is encoded. */
const MEASURED_PERCENT = 5;
const ENCODED_PERCENT = 95;

/**
 * Measures the sound, renders all variations and formats in one ffmpeg, takes thumbnails and judges each file. The same
 * spec gives the same bytes, alone or in a group. Throws what `ffmpeg.run` throws; then nothing here is to be kept.
 */
export async function renderGroup(request: RenderGroupRequest): Promise<RenderedGroupVariation[]> {
  const { specs, workDir, fontPath, ffmpeg, sourcePath } = request;
  const report = rising(request.onProgress);
  await mkdir(fontsDirectory(workDir), { recursive: true });
  await copyFile(fontPath, `${fontsDirectory(workDir)}/${basename(fontPath)}`);
  const font = readFont(await readFile(fontPath));
  const options: CommandOptions = {
    sourcePath,
    workDir,
    font,
    ...(request.assetPaths === undefined ? {} : { assetPaths: request.assetPaths }),
    outputPath: (variationId, format) => `${workDir}/${variationId}-${format.replace(':', 'x')}.part.mp4`,
    loudness: await measureLoudness(request),
  };
  report(MEASURED_PERCENT);
  const command = renderCommand(specs, options);
  await Promise.all(command.textFiles.map(({ path, text }) => writeFile(path, text)));
  await ffmpeg.run(command.args, {
    ...limits(request),
    onProgress: ({ outTimeMs }) => {
      const share = Math.min(1, Math.max(0, outTimeMs / command.longestMs));
      report(MEASURED_PERCENT + share * (ENCODED_PERCENT - MEASURED_PERCENT));
    },
  });
  const results: RenderedGroupVariation[] = [];
  for (const spec of specs) {
    const made = command.renditions.filter(({ variationId }) => variationId === spec.variation.id);
    const renditions: RenderedFile[] = [];
    for (const { format, path, texts } of made) {
      const measured = await measureOutput(path, ffmpeg, request.signal);
      const compliance = judgeCompliance({
        ...measured,
        format,
        texts,
        hookText: spec.variation.hook.text,
        undrawable: undrawable(wordsOf(spec), font),
        targetLufs: spec.loudnessLufs,
      });
      const finished = path.replace(/\.part\.mp4$/, '.mp4');
      await rename(path, finished);
      renditions.push({ ...measured, format, path: finished, compliance });
    }
    const thumbnailPath = `${workDir}/${spec.variation.id}.jpg`;
    results.push({ variationId: spec.variation.id, specHash: specHash(spec), renditions, thumbnailPath });
  }
  await ffmpeg.run(thumbnailArgs(results), limits(request));
  report(100);
  return results;
}

/** First the untreated mix; where a limiter is needed, its result once more, so that the gain makes up for what it took. */
async function measureLoudness(request: RenderGroupRequest): Promise<Loudness[]> {
  const targets = request.specs.map((spec) => spec.loudnessLufs);
  const untreated = await measure(
    request,
    targets.map(() => null),
  );
  const plans = targets.map((target, index): Loudness => {
    const measured = untreated[index];
    return measured === undefined ? { kind: 'none' } : loudnessFor(target, measured);
  });
  for (let round = 0; round < 2 && plans.some((plan) => plan.kind === 'limited'); round++) {
    const treated = await measure(request, plans);
    plans.forEach((plan, index) => {
      const reached = treated[index]?.integratedLufs;
      if (plan.kind !== 'limited' || reached === undefined || !Number.isFinite(reached)) return;
      plans[index] = {
        kind: 'limited',
        gainDb: Math.round((plan.gainDb + (targets[index] ?? 0) - reached) * 100) / 100,
      };
    });
  }
  return plans;
}

async function measure(request: RenderGroupRequest, before: readonly (Loudness | null)[]) {
  const lines: string[] = [];
  await request.ffmpeg.run(measureCommand(request.specs, request, before), {
    ...limits(request),
    onLine: (line) => void lines.push(line),
  });
  const found = readLoudness(lines);
  return request.specs.map((_, index) => found.get(`m${index}`));
}

function limits(request: RenderGroupRequest): { signal?: AbortSignal; timeoutMs?: number } {
  return {
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
  };
}

/** One run for all thumbnails. */
function thumbnailArgs(results: readonly RenderedGroupVariation[]): string[] {
  const inputs = results.flatMap(({ renditions }) => [
    '-ss',
    THUMBNAIL_SECONDS,
    '-i',
    `file:${renditions[0]?.path}`,
  ]);
  const outputs = results.flatMap(({ thumbnailPath }, index) => [
    '-map',
    `${index}:v`,
    '-frames:v',
    '1',
    '-q:v',
    '3',
    '-map_metadata',
    '-1',
    '-flags:v',
    '+bitexact',
    '-f',
    'image2',
    '-update',
    '1',
    thumbnailPath,
  ]);
  return ['-y', ...inputs, ...outputs];
}

function wordsOf({ variation, shots }: RenderSpec): string {
  const spoken = shots.flatMap((shot) => shot.words ?? []).map((word) => word.text);
  return [
    variation.hook.text,
    variation.callToAction.text,
    ...variation.shots.map((shot) => shot.textOverlay),
    ...spoken,
  ].join(' ');
}

function rising(tell: ((percent: number) => void) | undefined): (percent: number) => void {
  let last = -1;
  return (percent) => {
    const whole = Math.floor(percent);
    if (tell === undefined || whole <= last) return;
    last = whole;
    tell(whole);
  };
}
