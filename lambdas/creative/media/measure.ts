// How are the scenes' features and their middle frames taken from the file?
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../../runtime/errors.ts';
import type { MeasuredFeatures, Scene } from '../types.ts';
import type { VideoSignal } from './detect-scenes.ts';
import { measureScene, middlePictureMs, sharpness } from './features.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { untrustedInput } from './untrusted-input.ts';

export interface MeasuredScene extends MeasuredFeatures {
  sceneId: string;
  /** The middle frame: a JPEG at most 1280 pixels wide. */
  framePath: string;
  frameMs: number;
}

/** Sharpness is judged on pictures at most this wide, so that resolution does not count twice. */
const SHARPNESS_WIDTH = 640;
const FRAME_MAX_WIDTH = 1280;
/** Seeks that one ffmpeg makes side by side; each holds a decoder. */
const SEEKS_PER_RUN = 4;

/**
 * Features of every scene from the pass that found them, plus one seek per scene for its middle frame.
 * @param dir where `<scene id>.jpg` is written.
 * @throws InvalidInput when a picture cannot be decoded.
 */
export async function measureScenes(
  ffmpeg: Ffmpeg,
  path: string,
  scenes: readonly Scene[],
  signal: VideoSignal,
  options: { dir: string; timeoutMs?: number; signal?: AbortSignal },
): Promise<MeasuredScene[]> {
  const { dir, ...limits } = options;
  const measured: MeasuredScene[] = [];
  for (let at = 0; at < scenes.length; at += SEEKS_PER_RUN) {
    const some = scenes.slice(at, at + SEEKS_PER_RUN).map((scene) => ({
      scene,
      frameMs: middlePictureMs(signal.frames, scene),
      framePath: join(dir, `${scene.id}.jpg`),
      lumaPath: join(dir, `${scene.id}.luma.pgm`),
    }));
    await ffmpeg.run(
      [
        '-v',
        'error',
        '-y',
        // Half a millisecond early, or rounding may skip the very picture that is wanted.
        ...some.flatMap(({ frameMs }) => [
          '-ss',
          (Math.max(0, frameMs - 0.5) / 1000).toFixed(4),
          ...untrustedInput(path),
        ]),
        ...some.flatMap(({ framePath, lumaPath }, input) => [
          '-map',
          `${input}:v:0`,
          '-frames:v',
          '1',
          '-vf',
          `scale='min(${FRAME_MAX_WIDTH},iw)':-2:out_range=pc`,
          '-pix_fmt',
          'yuvj420p',
          '-q:v',
          '3',
          '-f',
          'image2',
          '-update',
          '1',
          framePath,
          '-map',
          `${input}:v:0`,
          '-frames:v',
          '1',
          '-vf',
          `scale='min(${SHARPNESS_WIDTH},iw)':-2,format=gray`,
          '-c:v',
          'pgm',
          '-f',
          'image2',
          '-update',
          '1',
          lumaPath,
        ]),
      ],
      limits,
    );
    for (const { scene, frameMs, framePath, lumaPath } of some) {
      const picture = readPgm(
        await readFile(lumaPath).catch((error: unknown) => {
          throw new InvalidInput(`The picture at ${Math.round(frameMs)} ms cannot be decoded.`, {
            cause: error,
          });
        }),
      );
      await rm(lumaPath);
      const sharp = sharpness(picture.luma, picture.width, picture.height);
      measured.push({
        sceneId: scene.id,
        framePath,
        frameMs,
        ...measureScene(signal, scene),
        sharpness: sharp,
      });
    }
  }
  return measured;
}

/** A binary greyscale picture: `P5 width height 255`, then the bytes. */
function readPgm(file: Uint8Array): { width: number; height: number; luma: Uint8Array } {
  const head = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(Buffer.from(file.subarray(0, 64)).toString('latin1'));
  if (head === null) throw new Error('ffmpeg wrote no PGM picture.');
  return { width: Number(head[1]), height: Number(head[2]), luma: file.subarray(head[0].length) };
}
