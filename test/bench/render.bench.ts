// What does one render group cost, compared with one ffmpeg per variation?
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import type { Ffmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import { fontPath } from '../../lambdas/creative/media/fonts.ts';
import { renderCommand } from '../../lambdas/creative/render/command.ts';
import { readFont } from '../../lambdas/creative/render/font.ts';
import { RenderSpec } from '../../lambdas/creative/render/render-spec.ts';

const SOURCE_SECONDS = 20;

/** Wall clock and processor time of all runs, and the most memory that one of them held. */
export interface RenderCost {
  peakMegabytes: number;
  wallSeconds: number;
  cpuSeconds: number;
}

/** What `benchRender` measured: the same five variations made in three ways. */
export interface RenderBench {
  variations: number;
  adSeconds: number;
  /** One ffmpeg for all of them. */
  group: RenderCost;
  /** One ffmpeg each, with our own input seeks. */
  single: RenderCost;
  /** One ffmpeg each, decoding the video from its start and cutting shots with trim filters: what most scripts do. */
  trimmed: RenderCost;
  /** Ratios of processor time: wall clock on a shared machine says more about the neighbours. */
  groupToSingle: number;
  groupToTrimmed: number;
}

function spec(id: string, change: Record<string, unknown>, preset: 'final' | 'draft'): RenderSpec {
  const shot = (index: number, role: string, transition: string) => ({
    sceneId: `s0${index + 1}`,
    startMs: 2000 + index * 4500,
    endMs: 2000 + index * 4500 + 1500,
    role,
    textOverlay: `What happens in part ${index + 1}`,
    transition,
  });
  const shots = [
    shot(0, 'hook', 'cut'),
    shot(1, 'problem', 'fade'),
    shot(2, 'solution', 'cut'),
    shot(3, 'cta', 'wipeleft'),
  ];
  return RenderSpec.parse({
    variation: {
      id,
      title: id,
      hook: { type: 'question', text: 'Still editing ads by hand?' },
      template: 'hook_problem_solution',
      shots,
      callToAction: { type: 'learn_more', text: 'Learn more' },
      captionStyle: 'bold',
      grade: 'neutral',
      pace: 'steady',
      primaryText: '',
      headline: '',
      hashtags: [],
      targetAudience: '',
      emotionalTriggers: [],
      ...change,
    },
    source: {
      key: 'bench/sources/x',
      sha256: 'a'.repeat(64),
      width: 1920,
      height: 1080,
      durationMs: SOURCE_SECONDS * 1000,
      frameRate: 30,
      hasAudio: true,
    },
    shots: shots.map(() => ({ focus: [{ atMs: 0, x: 0.5, y: 0.5 }], words: null })),
    formats: ['1:1'],
    preset,
    music: { kind: 'generated', mood: 'bright' },
    seed: 1,
  });
}

/** The same graph over one input that is decoded from its start: every seek becomes a trim. */
function withTrims(args: readonly string[]): string[] {
  const at = args.indexOf('-filter_complex');
  const shots: { start: number; length: number }[] = [];
  args.forEach((arg, index) => {
    if (arg === '-ss') shots.push({ start: Number(args[index + 1]), length: Number(args[index + 3]) });
  });
  const labels = (kind: string): string => shots.map((_, index) => `[${kind}${index}]`).join('');
  const cut = (kind: string, name: string) =>
    shots.map(
      ({ start, length }, index) =>
        `[${kind}${index}]${name}=start=${start}:duration=${length},${kind === 'sa' ? 'a' : ''}setpts=PTS-STARTPTS[${kind}t${index}]`,
    );
  const preamble = [
    `[0:v]split=${shots.length}${labels('sv')}`,
    ...cut('sv', 'trim'),
    `[0:a]asplit=${shots.length}${labels('sa')}`,
    ...cut('sa', 'atrim'),
  ];
  const graph = (args[at + 1] ?? '').replace(
    /\[(\d+):([va])\]/g,
    (_, input: string, kind: string) => `[s${kind}t${input}]`,
  );
  const source = args[args.indexOf('-i') + 1] ?? '';
  return ['-y', '-i', source, '-filter_complex', [...preamble, graph].join(';'), ...args.slice(at + 2)];
}

async function cost(ffmpeg: Ffmpeg, commands: readonly (readonly string[])[]): Promise<RenderCost> {
  const started = performance.now();
  let cpuSeconds = 0;
  let peakMegabytes = 0;
  for (const args of commands) {
    await ffmpeg.run(['-benchmark', ...args], {
      onLine: (line) => {
        const used = /^bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(line);
        if (used !== null) cpuSeconds += Number(used[1]) + Number(used[2]);
        const held = /^bench: maxrss=(\d+)/.exec(line);
        if (held !== null) peakMegabytes = Math.max(peakMegabytes, Number(held[1]) / 1024);
      },
    });
  }
  return { wallSeconds: (performance.now() - started) / 1000, cpuSeconds, peakMegabytes };
}

/** Renders five variations that differ in hook, captions, grade, call to action and pace, three ways, one after another. */
export async function benchRender(preset: 'final' | 'draft' = 'draft'): Promise<RenderBench> {
  const ffmpeg = openFfmpeg(process.env);
  const workDir = await mkdtemp(join(tmpdir(), 'render-bench-'));
  try {
    const sourcePath = join(workDir, 'source.mp4');
    const picture = `testsrc2=s=1920x1080:r=30:d=${SOURCE_SECONDS},noise=alls=4:allf=t`;
    const tone = `sine=f=300:d=${SOURCE_SECONDS}`;
    const encoded = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac'.split(' ');
    await ffmpeg.run(['-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', tone, ...encoded, sourcePath]);
    await mkdir(join(workDir, 'fonts'));
    await copyFile(fontPath('black'), join(workDir, 'fonts', basename(fontPath('black'))));
    const font = readFont(await readFile(fontPath('black')));
    const specs = [
      spec('v-000000000001', {}, preset),
      spec('v-000000000002', { hook: { type: 'story', text: 'The Friday we got back' } }, preset),
      spec(
        'v-000000000003',
        { captionStyle: 'boxed', callToAction: { type: 'book_call', text: 'Book a call' } },
        preset,
      ),
      spec('v-000000000004', { grade: 'warm' }, preset),
      spec('v-000000000005', { pace: 'fast' }, preset),
    ];
    const commandFor = (some: readonly RenderSpec[]) =>
      renderCommand(some, {
        sourcePath,
        workDir,
        font,
        outputPath: (id) => join(workDir, `${id}.mp4`),
        loudness: some.map(() => ({ kind: 'limited', gainDb: 0 })),
      });
    const group = commandFor(specs);
    await Promise.all(group.textFiles.map(({ path, text }) => writeFile(path, text)));
    const alone = specs.map((each) => commandFor([each]).args);
    const results = {
      group: await cost(ffmpeg, [group.args]),
      single: await cost(ffmpeg, alone),
      trimmed: await cost(ffmpeg, alone.map(withTrims)),
    };
    return {
      variations: specs.length,
      adSeconds: group.longestMs / 1000,
      ...results,
      groupToSingle: results.group.cpuSeconds / results.single.cpuSeconds,
      groupToTrimmed: results.group.cpuSeconds / results.trimmed.cpuSeconds,
    };
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
