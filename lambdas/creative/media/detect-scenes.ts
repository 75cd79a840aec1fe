// What does one pass over a video see and hear, frame by frame?
import { InvalidInput, Unavailable } from '../../runtime/errors.ts';
import type { Scene } from '../types.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { untrustedInput } from './untrusted-input.ts';
import type { FrameSignal } from './frame-signal.ts';
import { createFrameMeter, FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH } from './frame-signal.ts';
import type { AudioSignal } from './loudness.ts';
import { createAudioMeter, SAMPLE_RATE } from './loudness.ts';
import type { Cut } from './scenes.ts';
import { findCuts, partition } from './scenes.ts';

export interface VideoSignal {
  frames: FrameSignal;
  /** null without an audio stream. */
  audio: AudioSignal | null;
}

export interface WatchOptions {
  hasAudio: boolean;
  /**
   * `reference` leaves out the frames that no other frame needs: about a third of the work is saved, and a cut is known to
   * the next reference frame only. Default `every`.
   */
  frames?: 'reference' | 'every';
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface DetectedScenes {
  /** They partition [0, durationMs). */
  scenes: Scene[];
  /** Every hard cut, also those that were too close together to make a scene. */
  cuts: Cut[];
  signal: VideoSignal;
}

/** `-vsync 0` until 5.0; its successor from 5.1 on. */
function everyFrameOnce(version: string): string[] {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? [];
  const old = major !== undefined && (Number(major) < 5 || (Number(major) === 5 && Number(minor) < 1));
  return old ? ['-vsync', '0'] : ['-fps_mode', 'passthrough'];
}

/**
 * Frames that a line of the log tells of. ffmpeg's threads share the log: a line may lack the name of who wrote it, or hold what
 * belongs to two.
 */
export function shownFrames(line: string): { timeMs: number; intra: boolean }[] {
  const shown = /\bn:\s*\d+\s+pts:\s*\S+\s+pts_time:\s*(-?[\d.]+)((?:(?!\bn:\s*\d+\s+pts:).)*)/g;
  return [...line.matchAll(shown)].map(([, seconds, rest = '']) => ({
    timeMs: Number(seconds) * 1000,
    intra: /\btype:I\b/.test(rest),
  }));
}

/**
 * Decodes the file once: small frames through standard output, times through the log, sound through a third pipe. The
 * deblocking filter is skipped: at 128 × 72 its work cannot be seen.
 * @throws InvalidInput when nothing could be decoded; Unavailable when the log lost times of frames twice.
 */
export async function watchVideo(ffmpeg: Ffmpeg, path: string, options: WatchOptions): Promise<VideoSignal> {
  // Seen on a busy machine: a frame whose line never came. A frame without its time is of no use.
  const signal = (await watchOnce(ffmpeg, path, options)) ?? (await watchOnce(ffmpeg, path, options));
  if (signal === undefined) throw new Unavailable('The log of ffmpeg lost the times of frames, twice.');
  return signal;
}

/** Undefined when there were more frames than times. */
async function watchOnce(
  ffmpeg: Ffmpeg,
  path: string,
  options: WatchOptions,
): Promise<VideoSignal | undefined> {
  const { version } = await ffmpeg.locate();
  const frames = createFrameMeter();
  const sound = options.hasAudio ? createAudioMeter() : null;
  const times: { timeMs: number; intra: boolean }[] = [];
  let seen = 0;
  const waiting: Uint8Array[] = [];
  const drain = (): void => {
    while (waiting.length > 0 && seen < times.length) {
      const at = times[seen++] as { timeMs: number; intra: boolean };
      frames.add(waiting.shift() as Uint8Array, at.timeMs, at.intra);
    }
  };
  let partial = new Uint8Array(FRAME_BYTES);
  let filled = 0;
  await ffmpeg.run(
    [
      '-v',
      'info',
      '-skip_loop_filter',
      'all',
      ...(options.frames === 'reference' ? ['-skip_frame', 'noref'] : []),
      ...untrustedInput(path),
      '-map',
      '0:v:0',
      '-vf',
      `scale=${FRAME_WIDTH}:${FRAME_HEIGHT}:flags=fast_bilinear:out_range=tv,format=yuv444p,showinfo=checksum=0`,
      ...everyFrameOnce(version),
      '-f',
      'rawvideo',
      'pipe:1',
      ...(sound === null ? [] : ['-map', '0:a:0', '-af', 'aresample=async=1:first_pts=0', '-ac', '2']),
      ...(sound === null ? [] : ['-ar', String(SAMPLE_RATE), '-f', 's16le', 'pipe:3']),
    ],
    {
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onLine: (line) => {
        times.push(...shownFrames(line));
        drain();
      },
      onOutput: (chunk) => {
        let at = 0;
        while (at < chunk.length) {
          const n = Math.min(FRAME_BYTES - filled, chunk.length - at);
          partial.set(chunk.subarray(at, at + n), filled);
          filled += n;
          at += n;
          if (filled === FRAME_BYTES) {
            waiting.push(partial);
            partial = new Uint8Array(FRAME_BYTES);
            filled = 0;
            drain();
          }
        }
      },
      ...(sound === null ? {} : { onSideOutput: (chunk: Buffer) => sound.add(chunk) }),
    },
  );
  if (waiting.length > 0) return undefined;
  const signal = frames.finish();
  if (signal.count === 0)
    throw new InvalidInput('The file has a video stream but not one picture could be decoded.');
  return { frames: signal, audio: sound?.finish() ?? null };
}

/**
 * Cuts and scenes of a file. Watches reference frames first; where that leaves a cut uncertain by more than two frames,
 * it watches every frame.
 */
export async function detectScenes(
  ffmpeg: Ffmpeg,
  path: string,
  video: { durationMs: number; frameRate: number; hasAudio: boolean },
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<DetectedScenes> {
  const frameMs = 1000 / video.frameRate;
  let signal = await watchVideo(ffmpeg, path, { ...options, hasAudio: video.hasAudio, frames: 'reference' });
  let cuts = findCuts(signal.frames, frameMs);
  if (cuts.some((cut) => cut.uncertaintyMs > 2.5 * frameMs)) {
    signal = await watchVideo(ffmpeg, path, { ...options, hasAudio: video.hasAudio, frames: 'every' });
    cuts = findCuts(signal.frames, frameMs);
  }
  return {
    cuts,
    signal,
    scenes: partition(
      cuts.map((cut) => cut.atMs),
      video.durationMs,
    ),
  };
}
