// What did ffmpeg really write: size, length, sound?
import { stat } from 'node:fs/promises';
import { Unavailable } from '../../runtime/errors.ts';
import type { Ffmpeg } from '../media/ffmpeg.ts';
import { readLoudness } from './audio-mix.ts';

export interface MeasuredOutput {
  width: number;
  height: number;
  durationMs: number;
  videoCodec: string;
  /** Null without a sound stream. */
  audioCodec: string | null;
  /** Integrated, LUFS; null without sound, -Infinity for silence. */
  loudnessLufs: number | null;
  truePeakDb: number | null;
  sizeBytes: number;
}

/**
 * Reads a finished rendition with ffmpeg itself (no ffprobe exists everywhere): the sound is decoded and metered by ebur128,
 * the picture is only demuxed. Throws Unavailable when the file is not one we could have written.
 */
export async function measureOutput(
  path: string,
  ffmpeg: Pick<Ffmpeg, 'run'>,
  signal?: AbortSignal,
): Promise<MeasuredOutput> {
  const lines: string[] = [];
  const options = {
    onLine: (line: string) => void lines.push(line),
    timeoutMs: 60_000,
    ...(signal === undefined ? {} : { signal }),
  };
  await ffmpeg.run(
    [
      '-i',
      `file:${path}`,
      '-map',
      '0:v',
      '-c',
      'copy',
      '-f',
      'null',
      '-',
      '-map',
      '0:a?',
      '-af',
      'ebur128@sound=peak=true:framelog=quiet',
      '-f',
      'null',
      '-',
    ],
    options,
  );
  return { ...readMeasurement(lines), sizeBytes: (await stat(path)).size };
}

/** The facts in ffmpeg's banner of the input and ebur128's summary. */
export function readMeasurement(lines: readonly string[]): Omit<MeasuredOutput, 'sizeBytes'> {
  const text = lines.slice(lines.findIndex((line) => line.startsWith('Input #0'))).join('\n');
  const duration = /Duration: (\d+):(\d\d):(\d\d)\.(\d+)/.exec(text);
  const video = /Stream #0:\d[^\n]*: Video: (\w+)[^\n]*?, (\d+)x(\d+)[ ,\n]/.exec(text);
  const audio = /Stream #0:\d[^\n]*: Audio: (\w+)/.exec(text);
  if (duration === null || video === null)
    throw new Unavailable(`The rendered file is not a video: ${lines.slice(-2).join(' | ')}`);
  const [, hours = '0', minutes = '0', seconds = '0', fraction = '0'] = duration;
  const heard = readLoudness(lines).get('sound');
  return {
    width: Number(video[2]),
    height: Number(video[3]),
    durationMs: Math.round(
      (Number(hours) * 3600 + Number(minutes) * 60 + Number(`${seconds}.${fraction}`)) * 1000,
    ),
    videoCodec: video[1] ?? '',
    audioCodec: audio?.[1] ?? null,
    loudnessLufs: audio === null ? null : (heard?.integratedLufs ?? Number.NEGATIVE_INFINITY),
    truePeakDb: audio === null ? null : (heard?.truePeakDb ?? Number.NEGATIVE_INFINITY),
  };
}
