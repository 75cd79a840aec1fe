// Are good files described and bad ones refused in plain words?
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { DEFAULT_LIMITS, probeVideo, readDescription } from '../../../lambdas/creative/media/probe.ts';

const ffmpeg = openFfmpeg(process.env);
let dir = '';
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'probe-'));
  const make = (args: readonly string[]) => ffmpeg.run(['-v', 'error', '-y', ...args]);
  const bars = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=6,format=yuv420p'];
  await make([...bars, '-f', 'lavfi', '-i', 'sine=d=6', '-shortest', at('good.mp4')]);
  await make([...bars, '-c:v', 'libx264', at('mute.mkv')]);
  await make(['-f', 'lavfi', '-i', 'sine=d=3', at('sound.m4a')]);
  await make(['-display_rotation', '90', '-i', at('good.mp4'), '-c', 'copy', at('turned.mp4')]);
  await make([
    '-i',
    at('good.mp4'),
    '-vf',
    "select='gt(mod(n*3,5),1)'",
    '-fps_mode',
    'vfr',
    '-an',
    at('variable.mp4'),
  ]);
  const good = await readFile(at('good.mp4'));
  await writeFile(at('half.mp4'), good.subarray(0, good.length / 2));
  const matroska = await readFile(at('mute.mkv'));
  await writeFile(at('half.mkv'), matroska.subarray(0, matroska.length / 2));
  await writeFile(at('text.mp4'), 'Dear sir or madam, please find attached.'.repeat(100));
  await writeFile(at('empty.mp4'), '');
  await writeFile(at('secret.txt'), 'secret');
  await writeFile(at('list.mp4'), `ffconcat version 1.0\nfile ${at('good.mp4')}\n`);
  await writeFile(
    at('playlist.mp4'),
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n${at('good.mp4')}\n#EXT-X-ENDLIST\n`,
  );
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('a good file', () => {
  it('is described', async () => {
    expect(await probeVideo(ffmpeg, at('good.mp4'))).toMatchObject({
      durationMs: 6000,
      width: 320,
      height: 180,
      frameRate: 25,
      variableRate: false,
      codec: 'h264',
      hasAudio: true,
      audioCodec: 'aac',
    });
  });

  it('has the size that is shown when it is turned', async () => {
    expect(await probeVideo(ffmpeg, at('turned.mp4'))).toMatchObject({ width: 180, height: 320 });
  });

  it('may have no sound and a variable rate', async () => {
    expect(await probeVideo(ffmpeg, at('mute.mkv'))).toMatchObject({ hasAudio: false, audioCodec: null });
    expect(await probeVideo(ffmpeg, at('variable.mp4'))).toMatchObject({ variableRate: true });
  });
});

describe('a bad file is refused', () => {
  it.each([
    ['half.mp4', /^The file is truncated: /],
    ['half.mkv', /^The file is truncated: /],
    ['text.mp4', /^This is not a video file/],
    ['empty.mp4', /^The file is empty\.$/],
    ['sound.m4a', /^The file has no video stream\.$/],
    ['list.mp4', /is not accepted|not a video file/],
    ['playlist.mp4', /is not accepted|not a video file/],
  ])('%s', async (name, sentence) => {
    await expect(probeVideo(ffmpeg, at(name))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(sentence) as string,
    });
  });

  it.each([
    [{ maxDurationMs: 5000 }, /lasts 6 s; at most 5 s/],
    [{ minDurationMs: 7000 }, /lasts 6 s; at least 7 s/],
    [{ maxSidePixels: 300 }, /no side may exceed 300 pixels/],
    [{ minSidePixels: 200 }, /no side may be under 200 pixels/],
    [{ maxBytes: 1000 }, /at most 0\.0 MB/],
    [{ codecs: ['vp9'] }, /coded as h264; accepted are vp9/],
    [{ maxFrameRate: 20 }, /25 frames per second; at most 20/],
  ])('beyond %o', async (limit, sentence) => {
    await expect(probeVideo(ffmpeg, at('good.mp4'), { ...DEFAULT_LIMITS, ...limit })).rejects.toThrow(
      sentence,
    );
  });
});

describe('readDescription', () => {
  it('does not take a cover picture for a video', () => {
    const log = [
      "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'x':",
      '  Duration: 00:03:10.50, start: 0.0, bitrate: 128 kb/s',
      '  Stream #0:0(und): Audio: aac (LC), 44100 Hz, stereo, fltp, 128 kb/s',
      '  Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 600x600 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)',
    ].join('\n');
    expect(readDescription(log)).toMatchObject({ video: null, audioCodec: 'aac', durationMs: 190_500 });
  });

  it('shows wide pixels as square ones', () => {
    const log = [
      "Input #0, mpegts, from 'x':",
      '  Duration: 00:00:05.00, start: 1.4, bitrate: 1 kb/s',
      '  Stream #0:0[0x100]: Video: h264 (High), yuv420p(tv), 1440x1080 [SAR 4:3 DAR 16:9], 25 fps, 25 tbr, 90k tbn',
    ].join('\n');
    expect(readDescription(log).video).toMatchObject({ width: 1920, height: 1080, averageRate: 25 });
  });
});
