// How are test videos made, of which every cut is known?
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import type { Picture, Random, Shot } from './shots.ts';
import { integer, makeShots, seededRandom, shotGraph } from './shots.ts';
import type { ClipTruth, CorpusTruth, Transition } from './truth.ts';

export interface CorpusOptions {
  seed: number;
  dir: string;
  ffmpegPath: string;
  /** At least this many hard cuts in the clips that have nothing but hard cuts. Default 40. */
  hardCuts?: number;
}

interface ClipPlan {
  name: string;
  picture: Picture;
  shots: Shot[];
  join: 'cut' | 'dissolve' | 'fade';
  hasAudio: boolean;
  flashes?: boolean;
  variable?: boolean;
  /** Encoder arguments: with and without frames that nothing refers to. */
  encode: readonly string[];
}

const LANDSCAPE: Picture = { width: 320, height: 180, frameRate: 25 };
const PORTRAIT: Picture = { width: 180, height: 320, frameRate: 30 };
const FAST = ['-preset', 'ultrafast', '-crf', '26'] as const;
const WITH_B_FRAMES = ['-preset', 'superfast', '-bf', '3', '-crf', '24'] as const;
/** Shots of one file: each costs ffmpeg a source with its threads. */
const SHOTS_PER_FILE = 30;

/** Renders the corpus of this seed: cuts over all kinds of content, then one clip for each thing that is not a cut. */
export async function makeCorpus(options: CorpusOptions): Promise<CorpusTruth> {
  const random = seededRandom(options.seed);
  await mkdir(options.dir, { recursive: true });
  const clips: ClipTruth[] = [];
  for (const plan of planClips(random, options.hardCuts ?? 40)) {
    clips.push(await renderClip(plan, random, options));
  }
  return { seed: options.seed, clips };
}

function planClips(random: Random, hardCuts: number): ClipPlan[] {
  const plans: ClipPlan[] = [];
  for (let left = hardCuts, n = 1; left > 0; n++) {
    const cuts = Math.min(left, SHOTS_PER_FILE - 1);
    left -= cuts;
    plans.push({
      name: `cuts-${n}`,
      picture: { ...LANDSCAPE, frameRate: [25, 30, 24][n % 3] as number },
      shots: makeShots(random, cuts + 1, [26, 38]),
      join: 'cut',
      hasAudio: n % 2 === 0,
      encode: n % 2 === 0 ? FAST : WITH_B_FRAMES,
    });
  }
  const plain = { picture: LANDSCAPE, join: 'cut', hasAudio: true, encode: FAST } as const;
  return [
    ...plans,
    {
      ...plain,
      name: 'dissolves',
      shots: makeShots(random, 6, [60, 80]),
      join: 'dissolve',
      encode: WITH_B_FRAMES,
    },
    { ...plain, name: 'fades', shots: makeShots(random, 5, [50, 70]), join: 'fade' },
    {
      ...plain,
      name: 'flashes',
      shots: makeShots(random, 5, [60, 80]),
      flashes: true,
      encode: WITH_B_FRAMES,
    },
    { ...plain, name: 'variable-rate', shots: makeShots(random, 8, [40, 60]), variable: true },
    { ...plain, name: 'portrait', picture: PORTRAIT, shots: makeShots(random, 8, [35, 50]) },
    { ...plain, name: 'no-audio', shots: makeShots(random, 6, [30, 45]), hasAudio: false },
    { ...plain, name: 'one-scene', shots: makeShots(random, 1, [150, 150]) },
  ];
}

/** The graph, with the truth it makes. Times are exact: frame number / frame rate. */
function clipGraph(
  plan: ClipPlan,
  random: Random,
): { graph: string; frames: number; cuts: number[]; transitions: Transition[] } {
  const { frameRate } = plan.picture;
  const ms = (frame: number): number => (frame * 1000) / frameRate;
  const graph: string[] = [];
  const cuts: number[] = [];
  const transitions: Transition[] = [];
  let frames = 0;
  for (const [i, shot] of plan.shots.entries()) {
    graph.push(shotGraph(shot, plan.picture, `q${i}`));
    const touched: string[] = [];
    if (plan.join === 'fade') {
      const length = integer(random, 8, 16);
      if (i > 0) touched.push(`fade=in:start_frame=0:nb_frames=${length}`);
      if (i < plan.shots.length - 1)
        touched.push(`fade=out:start_frame=${shot.frames - length}:nb_frames=${length}`);
      if (i > 0) (transitions.at(-1) as Transition).endMs = ms(frames + length);
      if (i < plan.shots.length - 1) {
        transitions.push({ kind: 'fade', startMs: ms(frames + shot.frames - length), endMs: 0 });
      }
    }
    if (plan.flashes === true) {
      const at = integer(random, 15, shot.frames - 20);
      const length = integer(random, 1, 4);
      touched.push(`drawbox=x=0:y=0:w=iw:h=ih:c=white:t=fill:enable='between(n,${at},${at + length - 1})'`);
      transitions.push({ kind: 'flash', startMs: ms(frames + at), endMs: ms(frames + at + length) });
    }
    if (touched.length > 0) graph.push(`[q${i}]${touched.join(',')}[p${i}]`);
    const label = touched.length > 0 ? `p${i}` : `q${i}`;
    if (plan.join === 'dissolve' && i > 0) {
      const length = integer(random, 10, 25);
      const offset = frames - length;
      graph.push(
        `[x${i - 1}][${label}]xfade=transition=fade:duration=${length / frameRate}:offset=${offset / frameRate}[x${i}]`,
      );
      transitions.push({ kind: 'dissolve', startMs: ms(offset), endMs: ms(frames) });
      frames += shot.frames - length;
    } else {
      if (plan.join === 'dissolve') graph.push(`[${label}]null[x0]`);
      if (plan.join === 'cut' && i > 0) cuts.push(frames);
      frames += shot.frames;
    }
  }
  if (plan.join === 'dissolve') graph.push(`[x${plan.shots.length - 1}]null[all]`);
  else {
    const labels = plan.shots.map((_, i) =>
      plan.join === 'fade' || plan.flashes === true ? `[p${i}]` : `[q${i}]`,
    );
    graph.push(`${labels.join('')}concat=n=${plan.shots.length}[all]`);
  }
  // Two of five frames go, but never the first of a shot: that is where the truth says the cut is.
  const kept = ['gt(mod(n*3,5),1)', ...cuts.map((cut) => `eq(n,${cut})`)].join('+');
  graph.push(plan.variable === true ? `[all]select='${kept}'[v]` : '[all]null[v]');
  return { graph: graph.join(';'), frames, cuts, transitions };
}

async function renderClip(plan: ClipPlan, random: Random, options: CorpusOptions): Promise<ClipTruth> {
  const { frameRate, width, height } = plan.picture;
  const { graph, frames, cuts, transitions } = clipGraph(plan, random);
  const seconds = frames / frameRate;
  const path = join(options.dir, `${plan.name}.mp4`);
  const sound = plan.hasAudio
    ? ['-f', 'lavfi', '-i', `sine=f=${integer(random, 200, 900)}:r=48000:d=${seconds}`]
    : [];
  await runFfmpeg(options.ffmpegPath, [
    '-v',
    'error',
    '-y',
    ...sound,
    '-filter_complex',
    graph,
    '-map',
    '[v]',
    ...(plan.hasAudio ? ['-map', '0:a', '-c:a', 'aac', '-b:a', '64k'] : []),
    ...(plan.variable === true ? ['-fps_mode', 'vfr'] : []),
    '-c:v',
    'libx264',
    ...plan.encode,
    '-pix_fmt',
    'yuv420p',
    path,
  ]);
  return {
    name: plan.name,
    path,
    durationMs: seconds * 1000,
    frameRate,
    width,
    height,
    hasAudio: plan.hasAudio,
    cutsMs: cuts.map((cut) => (cut * 1000) / frameRate),
    transitions,
  };
}
