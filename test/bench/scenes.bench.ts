// Is scene detection faster and more right than ffmpeg's own scene filter at full size?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detectScenes } from '../../lambdas/creative/media/detect-scenes.ts';
import type { Ffmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import { openFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import { probeVideo } from '../../lambdas/creative/media/probe.ts';
import type { CutScore } from '../../lib/sandbox/corpus/judge.ts';
import { scoreCuts } from '../../lib/sandbox/corpus/judge.ts';
import { makeShots, seededRandom, shotGraph } from '../../lib/sandbox/corpus/shots.ts';

export interface ScenesBench {
  durationMs: number;
  hardCuts: number;
  ours: { medianMs: number; score: CutScore };
  peer: { medianMs: number; score: CutScore };
  /** Our time / the peer's time, both medians of the same run. */
  ratio: number;
}

const PICTURE = { width: 1920, height: 1080, frameRate: 30 };
const ROUNDS = 3;

/** `select='gt(scene,0.3)'` at full size: what most people use. */
async function peerCuts(ffmpeg: Ffmpeg, path: string): Promise<number[]> {
  const found: number[] = [];
  await ffmpeg.run(
    ['-v', 'info', '-i', path, '-an', '-vf', "select='gt(scene,0.3)',showinfo", '-f', 'null', '-'],
    {
      onLine: (line) => {
        const time = /showinfo.*pts_time:\s*([\d.]+)/.exec(line);
        if (time !== null) found.push(Number(time[1]) * 1000);
      },
    },
  );
  return found;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** Makes a 30 s 1080p file with twelve shots, then times both in turns, so that a busy machine slows both. */
export async function measureScenesBench(ffmpeg: Ffmpeg = openFfmpeg(process.env)): Promise<ScenesBench> {
  const dir = await mkdtemp(join(tmpdir(), 'scenes-bench-'));
  try {
    const path = join(dir, 'bench.mp4');
    const shots = makeShots(seededRandom(11), 12, [75, 75]);
    // Drawn small and scaled up: content is not what is measured, and drawing noise at 1080p would take minutes.
    const small = { ...PICTURE, width: 640, height: 360 };
    const labels = shots.map((_, at) => `[q${at}]`).join('');
    const size = `${PICTURE.width}:${PICTURE.height}`;
    const graph = [
      ...shots.map((shot, at) => shotGraph(shot, small, `q${at}`)),
      `${labels}concat=n=${shots.length},scale=${size}:flags=bilinear,format=yuv420p[v]`,
    ];
    const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-crf', '26', path];
    await ffmpeg.run(['-v', 'error', '-y', '-filter_complex', graph.join(';'), '-map', '[v]', ...encode]);
    const video = await probeVideo(ffmpeg, path);
    let frames = 0;
    const cutsMs = shots.slice(0, -1).map((shot) => ((frames += shot.frames) * 1000) / PICTURE.frameRate);
    const truth = { cutsMs, transitions: [], frameRate: PICTURE.frameRate };
    const times = { ours: [] as number[], peer: [] as number[] };
    let ours: number[] = [];
    let peer: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      ours = (await detectScenes(ffmpeg, path, video)).cuts.map((cut) => cut.atMs);
      const middle = performance.now();
      peer = await peerCuts(ffmpeg, path);
      times.ours.push(middle - start);
      times.peer.push(performance.now() - middle);
    }
    const [oursMs, peerMs] = [median(times.ours), median(times.peer)];
    return {
      durationMs: video.durationMs,
      hardCuts: cutsMs.length,
      ours: { medianMs: oursMs, score: scoreCuts(ours, truth) },
      peer: { medianMs: peerMs, score: scoreCuts(peer, truth) },
      ratio: oursMs / peerMs,
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Prints the comparison. */
export async function benchScenes(): Promise<ScenesBench> {
  const result = await measureScenesBench();
  const line = (name: string, one: ScenesBench['ours']): string =>
    `  ${name.padEnd(34)} ${(one.medianMs / 1000).toFixed(2)} s  (${(one.medianMs / result.durationMs).toFixed(3)} of real time)` +
    `  F1 ${one.score.f1.toFixed(3)}, ${one.score.missed.length} missed, ${one.score.falsePositives.length} invented`;
  console.log(
    `scene detection, ${result.durationMs / 1000} s of 1080p, ${result.hardCuts} hard cuts, median of ${ROUNDS}`,
  );
  console.log(line('ours (and the features)', result.ours));
  console.log(line("select='gt(scene,0.3)' at full size", result.peer));
  console.log(`  ratio ${result.ratio.toFixed(2)}`);
  return result;
}
