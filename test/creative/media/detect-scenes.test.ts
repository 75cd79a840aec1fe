// Is every hard cut of a generated corpus found, and nothing else?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectScenes, shownFrames, watchVideo } from '../../../lambdas/creative/media/detect-scenes.ts';
import { openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { probeVideo } from '../../../lambdas/creative/media/probe.ts';
import { findCuts } from '../../../lambdas/creative/media/scenes.ts';
import { makeCorpus } from '../../../lib/sandbox/corpus/corpus.ts';
import { scoreCuts } from '../../../lib/sandbox/corpus/judge.ts';
import type { CorpusTruth } from '../../../lib/sandbox/corpus/truth.ts';

const ffmpeg = openFfmpeg(process.env);
/** `CORPUS_SEED=…` tries another corpus; it is in the test's name, so a failure can be repeated. */
const seed = Number(process.env['CORPUS_SEED'] ?? 20_261);
let dir = '';
let corpus: CorpusTruth;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'corpus-'));
  const { path } = await ffmpeg.locate();
  corpus = await makeCorpus({ seed, dir, ffmpegPath: path, hardCuts: 300 });
}, 180_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe(`corpus of seed ${seed}`, () => {
  it('has F1 = 1 within two frames on at least 300 hard cuts', { timeout: 120_000 }, async () => {
    let hardCuts = 0;
    for (const clip of corpus.clips) {
      const video = await probeVideo(ffmpeg, clip.path);
      const { cuts, scenes, signal } = await detectScenes(ffmpeg, clip.path, video);
      const score = scoreCuts(
        cuts.map((cut) => cut.atMs),
        clip,
      );
      expect({ clip: clip.name, missed: score.missed, invented: score.falsePositives }).toEqual({
        clip: clip.name,
        missed: [],
        invented: [],
      });
      expect(score.f1).toBe(1);
      expect(scenes[0]?.startMs).toBe(0);
      expect(scenes.at(-1)?.endMs).toBe(video.durationMs);
      expect(signal.audio === null).toBe(!clip.hasAudio);
      hardCuts += clip.cutsMs.length;
    }
    expect(hardCuts).toBeGreaterThanOrEqual(300);
  });

  it('gives the same cuts whether or not unreferenced frames are watched', async () => {
    const clip = corpus.clips.find((one) => one.name === 'cuts-1');
    if (clip === undefined) throw new Error('The corpus has no first clip.');
    const frameMs = 1000 / clip.frameRate;
    const every = await watchVideo(ffmpeg, clip.path, { hasAudio: clip.hasAudio, frames: 'every' });
    const some = await watchVideo(ffmpeg, clip.path, { hasAudio: clip.hasAudio, frames: 'reference' });
    expect(every.frames.count).toBe(Math.round(clip.durationMs / frameMs));
    expect(some.frames.count).toBeLessThan(0.9 * every.frames.count);
    const exact = findCuts(every.frames, frameMs).map((cut) => Math.round(cut.atMs));
    expect(exact).toEqual(clip.cutsMs.map(Math.round));
    for (const [i, cut] of findCuts(some.frames, frameMs).entries()) {
      expect(Math.abs(cut.atMs - (exact[i] as number))).toBeLessThanOrEqual(cut.uncertaintyMs + 1);
    }
  });

  it('makes one scene of one shot', async () => {
    const clip = corpus.clips.find((one) => one.name === 'one-scene');
    if (clip === undefined) throw new Error('The corpus has no single shot.');
    const { scenes } = await detectScenes(ffmpeg, clip.path, { ...clip, hasAudio: true });
    expect(scenes).toEqual([{ id: 's01', startMs: 0, endMs: clip.durationMs }]);
  });

  it('stops when it is cancelled', async () => {
    const clip = corpus.clips[0];
    if (clip === undefined) throw new Error('The corpus is empty.');
    const cancelled = detectScenes(ffmpeg, clip.path, clip, { signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ name: 'Unavailable' });
  });
});

describe('the log of ffmpeg', () => {
  const frame = 'n:   7 pts:   3584 pts_time:0.28    duration:    512 fmt:yuv444p i:P iskey:0 type:';
  it.each([
    ['a line of its own', `[Parsed_showinfo_2 @ 0x55] ${frame}I `, [{ timeMs: 280, intra: true }]],
    ['without the name of who wrote it', `${frame}P `, [{ timeMs: 280, intra: false }]],
    [
      'behind what somebody else began',
      `[aac @ 0x66] Input contains ${frame}B `,
      [{ timeMs: 280, intra: false }],
    ],
    [
      'two in one line',
      `${frame}I n:   8 pts:   4096 pts_time:0.32 type:B `,
      [
        { timeMs: 280, intra: true },
        { timeMs: 320, intra: false },
      ],
    ],
    ['nothing of a frame', '[Parsed_showinfo_2 @ 0x55] config in time_base: 1/12800', []],
  ])('tells of frames in %s', (_, line, expected) => {
    expect(shownFrames(line)).toEqual(expected);
  });
});
