// Is this file a video we can work with, and what is in it?
import { open, stat } from 'node:fs/promises';
import { InvalidInput } from '../../runtime/errors.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { untrustedInput } from './untrusted-input.ts';

/** What a video may be at most. Every bound is a setting of the stage. */
export interface MediaLimits {
  maxBytes: number;
  minDurationMs: number;
  maxDurationMs: number;
  /** Of the longer side, pixels. */
  maxSidePixels: number;
  minSidePixels: number;
  maxFrameRate: number;
  /** As ffmpeg calls them. */
  codecs: readonly string[];
}

export const DEFAULT_LIMITS: MediaLimits = {
  maxBytes: 2 * 1024 ** 3,
  minDurationMs: 1000,
  maxDurationMs: 30 * 60_000,
  maxSidePixels: 4096,
  minSidePixels: 64,
  maxFrameRate: 120,
  codecs: ['h264', 'hevc', 'vp8', 'vp9', 'av1', 'mpeg4', 'mpeg2video', 'mjpeg', 'prores'],
};

export interface ProbedVideo {
  /** `mov,mp4,m4a,3gp,3g2,mj2` and the like. */
  container: string;
  sizeBytes: number;
  durationMs: number;
  /** As shown: after rotation and with square pixels. */
  width: number;
  height: number;
  /** Average, frames per second. */
  frameRate: number;
  /** The average differs from the base rate by more than a tenth. */
  variableRate: boolean;
  codec: string;
  hasAudio: boolean;
  audioCodec: string | null;
}

interface Described {
  container: string;
  durationMs: number | null;
  video: {
    codec: string;
    width: number;
    height: number;
    averageRate: number | null;
    baseRate: number | null;
  } | null;
  audioCodec: string | null;
}

/**
 * Reads what ffmpeg says about an input. Cover pictures (`attached pic`) are not video streams.
 * @param log the lines ffmpeg writes at level `info`.
 */
export function readDescription(log: string): Described {
  const container = /^Input #0, (.+?), from /m.exec(log)?.[1] ?? '';
  const time = /^\s+Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(log);
  const durationMs =
    time === null
      ? null
      : Math.round((Number(time[1]) * 3600 + Number(time[2]) * 60 + Number(time[3])) * 1000);
  let video: Described['video'] = null;
  let audioCodec: string | null = null;
  const source = log.split(/^Output #0|^Stream mapping:/m)[0] ?? '';
  const streams = source.split(/^\s+Stream #0:/m).slice(1);
  for (const stream of streams) {
    const head = stream.split('\n')[0] ?? '';
    const picture = /: Video: (\w+)/.exec(head);
    const sound = /: Audio: (\w+)/.exec(head);
    if (sound !== null) audioCodec ??= sound[1] ?? null;
    if (picture === null || video !== null || head.includes('attached pic')) continue;
    const size = /[ ,](\d{1,6})x(\d{1,6})[ ,[]/.exec(head);
    if (size === null) continue;
    const pixels = /SAR (\d+):(\d+)/.exec(head);
    const aspect = pixels === null || Number(pixels[2]) === 0 ? 1 : Number(pixels[1]) / Number(pixels[2]);
    const rotation = Number(/rotation of (-?[\d.]+) degrees/.exec(stream)?.[1] ?? '0');
    const turned = Math.abs(Math.round(rotation / 90)) % 2 === 1;
    const shown = { width: Math.round(Number(size[1]) * (aspect > 0 ? aspect : 1)), height: Number(size[2]) };
    video = {
      codec: picture[1] as string,
      width: turned ? shown.height : shown.width,
      height: turned ? shown.width : shown.height,
      averageRate: rate(/([\d.]+k?) fps/.exec(head)?.[1]),
      baseRate: rate(/([\d.]+k?) tbr/.exec(head)?.[1]),
    };
  }
  return { container, durationMs, video, audioCodec };
}

function rate(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = text.endsWith('k') ? Number(text.slice(0, -1)) * 1000 : Number(text);
  return Number.isFinite(value) && value > 0 ? value : null;
}

/** An MP4 says in its boxes how long it must be: the first box that reaches beyond the end shows what is missing. */
async function missingBytes(path: string, sizeBytes: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(16);
    for (let at = 0, boxes = 0; at + 8 <= sizeBytes && boxes < 10_000; boxes++) {
      await file.read(head, 0, 16, at);
      const kind = head.toString('latin1', 4, 8);
      if (at === 0 && kind !== 'ftyp') return 0;
      if (!/^[\w ]{4}$/.test(kind)) return 0;
      const short = head.readUInt32BE(0);
      const length = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? sizeBytes - at : short;
      if (length < 8) return 0;
      if (at + length > sizeBytes) return at + length - sizeBytes;
      at += length;
    }
    return 0;
  } finally {
    await file.close();
  }
}

const megabytes = (bytes: number): string =>
  `${(bytes / 1024 ** 2).toFixed(bytes < 10 * 1024 ** 2 ? 1 : 0)} MB`;

/**
 * Describes a file and decodes its first and last pictures.
 * @throws InvalidInput with a sentence for the person who sent the file.
 */
export async function probeVideo(
  ffmpeg: Ffmpeg,
  path: string,
  limits: MediaLimits = DEFAULT_LIMITS,
  options: { signal?: AbortSignal } = {},
): Promise<ProbedVideo> {
  const { size: sizeBytes } = await stat(path);
  if (sizeBytes === 0) throw new InvalidInput('The file is empty.');
  if (sizeBytes > limits.maxBytes) {
    throw new InvalidInput(
      `The file has ${megabytes(sizeBytes)}; at most ${megabytes(limits.maxBytes)} are accepted.`,
    );
  }
  const missing = await missingBytes(path, sizeBytes);
  if (missing > 0)
    throw new InvalidInput(`The file is truncated: its last ${megabytes(missing)} are missing.`);
  const described = readDescription(await describe(ffmpeg, path, options));
  const video = withinLimits(described, limits);
  await decodeCheck(ffmpeg, path, video.durationMs, options);
  return { ...video, sizeBytes };
}

/** The log of opening the file and decoding one second: some containers tell their rate only then. */
async function describe(ffmpeg: Ffmpeg, path: string, options: { signal?: AbortSignal }): Promise<string> {
  const lines: string[] = [];
  try {
    await ffmpeg.run(
      ['-v', 'info', '-t', '0.5', ...untrustedInput(path), '-map', '0:v:0?', '-f', 'null', '-'],
      {
        ...options,
        timeoutMs: 30_000,
        onLine: (line) => lines.length < 400 && lines.push(line),
      },
    );
  } catch (error) {
    // A file without a video stream is described and then refused; that sentence is written by the caller.
    if (!(error instanceof InvalidInput)) throw error;
    if (!lines.some((line) => line.startsWith('Input #0'))) {
      throw new InvalidInput(notAVideo(lines, await beginsLikeMp4(path)), { cause: error });
    }
  }
  return lines.join('\n');
}

async function beginsLikeMp4(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 && buffer.toString('latin1', 4, 8) === 'ftyp';
  } finally {
    await file.close();
  }
}

function notAVideo(lines: readonly string[], isMp4: boolean): string {
  const log = lines.join('\n');
  if (isMp4 && /moov atom not found|truncat|End of file/i.test(log)) {
    return 'The file is truncated: the part that describes the video (its index) is missing.';
  }
  if (/not on the format whitelist|Format not on whitelist/i.test(log))
    return 'This kind of file is not accepted; send an MP4, MOV, WebM or MKV video.';
  return 'This is not a video file, or it is damaged beyond reading.';
}

function withinLimits(described: Described, limits: MediaLimits): Omit<ProbedVideo, 'sizeBytes'> {
  const { video, durationMs } = described;
  if (video === null) throw new InvalidInput('The file has no video stream.');
  if (!limits.codecs.includes(video.codec)) {
    throw new InvalidInput(`The video is coded as ${video.codec}; accepted are ${limits.codecs.join(', ')}.`);
  }
  if (durationMs === null) throw new InvalidInput('The file does not say how long the video is.');
  const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
  if (durationMs < limits.minDurationMs) {
    throw new InvalidInput(
      `The video lasts ${seconds(durationMs)}; at least ${seconds(limits.minDurationMs)} are needed.`,
    );
  }
  if (durationMs > limits.maxDurationMs) {
    throw new InvalidInput(
      `The video lasts ${seconds(durationMs)}; at most ${seconds(limits.maxDurationMs)} are accepted.`,
    );
  }
  const { width, height } = video;
  if (Math.max(width, height) > limits.maxSidePixels) {
    throw new InvalidInput(
      `The picture is ${width} × ${height}; no side may exceed ${limits.maxSidePixels} pixels.`,
    );
  }
  if (Math.min(width, height) < limits.minSidePixels) {
    throw new InvalidInput(
      `The picture is ${width} × ${height}; no side may be under ${limits.minSidePixels} pixels.`,
    );
  }
  const frameRate = video.averageRate ?? video.baseRate;
  if (frameRate === null)
    throw new InvalidInput('The file is a picture or has no frame rate; a video is needed.');
  if (frameRate > limits.maxFrameRate) {
    throw new InvalidInput(
      `The video has ${frameRate} frames per second; at most ${limits.maxFrameRate} are accepted.`,
    );
  }
  const base = video.baseRate ?? frameRate;
  return {
    container: described.container,
    durationMs,
    width,
    height,
    frameRate,
    variableRate: Math.abs(base - frameRate) / frameRate > 0.1,
    codec: video.codec,
    hasAudio: described.audioCodec !== null,
    audioCodec: described.audioCodec,
  };
}

/** Decodes the first second and the last two: damage at the end is what an interrupted upload leaves. */
async function decodeCheck(
  ffmpeg: Ffmpeg,
  path: string,
  durationMs: number,
  options: { signal?: AbortSignal },
): Promise<void> {
  const pictures = async (args: readonly string[]): Promise<number> => {
    let count = 0;
    await ffmpeg.run(
      [
        '-v',
        'error',
        ...args,
        ...untrustedInput(path),
        '-map',
        '0:v:0',
        '-vf',
        'scale=2:2,format=gray',
        '-f',
        'rawvideo',
        '-',
      ],
      { ...options, timeoutMs: 60_000, onOutput: (chunk) => (count += chunk.length / 4) },
    );
    return count;
  };
  try {
    if ((await pictures(['-t', '1'])) < 1)
      throw new InvalidInput('The video cannot be decoded: its first second holds no picture.');
    const lastMs = Math.max(0, durationMs - 2000);
    if (lastMs > 0 && (await pictures(['-ss', String(lastMs / 1000)])) < 1) {
      throw new InvalidInput(
        `The file is truncated: no picture can be decoded after ${Math.round(lastMs / 1000)} s.`,
      );
    }
  } catch (error) {
    if (error instanceof InvalidInput && error.message.startsWith('ffmpeg')) {
      throw new InvalidInput('The video is damaged: it cannot be decoded.', { cause: error });
    }
    throw error;
  }
}
