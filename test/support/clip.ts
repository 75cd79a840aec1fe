// How does a test get a short video of which every cut is known?
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { openFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import type { Video } from '../../lambdas/creative/types.ts';
import { makeShots, seededRandom, shotGraph } from '../../lib/sandbox/corpus/shots.ts';

const PICTURE = { width: 320, height: 180, frameRate: 25 };
const ffmpeg = openFfmpeg(process.env);

export interface Clip {
  bytes: Buffer;
  sha256: string;
  /** As CheckVideo describes it, except for the key. */
  video: Omit<Video, 'key'>;
  /** Times of the first frames after the hard cuts, milliseconds. */
  cutsMs: number[];
}

/** Four different shots in about six seconds; a steady tone when it has sound. */
export async function makeClip(path: string, options: { hasAudio: boolean }): Promise<Clip> {
  const shots = makeShots(seededRandom(7), 4, [32, 40]);
  const parts = shots.map((shot, index) => shotGraph(shot, PICTURE, `q${index}`));
  const labels = shots.map((_, index) => `[q${index}]`).join('');
  const frames = shots.reduce((sum, shot) => sum + shot.frames, 0);
  const seconds = frames / PICTURE.frameRate;
  const sound = options.hasAudio ? ['-f', 'lavfi', '-i', `sine=f=440:r=48000:d=${seconds}`] : [];
  const graph = [...parts, `${labels}concat=n=${shots.length}[v]`].join(';');
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  const audio = options.hasAudio ? ['-map', '0:a', '-c:a', 'aac', '-b:a', '64k'] : [];
  await ffmpeg.run([
    '-v',
    'error',
    '-y',
    ...sound,
    '-filter_complex',
    graph,
    '-map',
    '[v]',
    ...audio,
    ...encode,
    path,
  ]);
  const bytes = await readFile(path);
  const cutsMs = shots
    .slice(0, -1)
    .map((_, index) => shots.slice(0, index + 1).reduce((sum, shot) => sum + shot.frames, 0))
    .map((frame) => (frame * 1000) / PICTURE.frameRate);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    bytes,
    sha256,
    cutsMs,
    video: {
      ...PICTURE,
      sha256,
      sizeBytes: bytes.length,
      durationMs: seconds * 1000,
      codec: 'h264',
      hasAudio: options.hasAudio,
    },
  };
}

/** A file that only sounds. */
export async function makeSound(path: string): Promise<Buffer> {
  await ffmpeg.run(['-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=d=3', '-c:a', 'aac', path]);
  return readFile(path);
}
