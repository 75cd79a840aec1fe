// Which video does the demo use, and which files lie in the sandbox's Drive?
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import { makeSampleVideo } from '../sandbox/corpus/sample.ts';
import type { VideoTruth } from '../sandbox/truth.ts';
import type { World } from './world.ts';

export interface SampleVideo {
  path: string;
  /** Hex. */
  sha256: string;
  truth: VideoTruth;
}

/** Ids of files that exist in the sandbox's Drive; event files name them. In AWS they are ids of your own files. */
export const DRIVE_FILES = {
  video: 'sample-video',
  silent: 'sample-silent-video',
  notAVideo: 'sample-not-a-video',
} as const;

const GENERATOR = fileURLToPath(new URL('../sandbox/corpus/', import.meta.url));

export interface SampleOptions {
  cacheDir: string;
  ffmpegPath: string;
  /** 0..1; only called when the video must be made. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Is the sample made already, by today's generator? */
export function isSampleMade(cacheDir: string): boolean {
  return existsSync(paths(cacheDir).notes);
}

/** The sample video, made once per version of its generator. */
export async function sampleVideo(options: SampleOptions): Promise<SampleVideo> {
  const { directory, path, notes } = paths(options.cacheDir);
  if (!existsSync(notes)) {
    mkdirSync(directory, { recursive: true });
    const making = join(directory, `making-${process.pid}.mp4`);
    try {
      const truth = await makeSampleVideo({
        path: making,
        ffmpegPath: options.ffmpegPath,
        ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      renameSync(making, path);
      // Last, because it says that the video is whole.
      writeFileSync(`${notes}.${process.pid}`, JSON.stringify(truth));
      renameSync(`${notes}.${process.pid}`, notes);
    } finally {
      rmSync(making, { force: true });
    }
  }
  const truth = JSON.parse(readFileSync(notes, 'utf8')) as VideoTruth & { sha256: string };
  return { path, sha256: truth.sha256, truth };
}

/** The same pictures without sound, which no service knows anything about. */
async function silentVideo(sample: SampleVideo, options: SampleOptions): Promise<string> {
  const path = sample.path.replace(/\.mp4$/, '-silent.mp4');
  if (existsSync(path)) return path;
  const making = `${path}.${process.pid}.mp4`;
  try {
    await runFfmpeg(
      options.ffmpegPath,
      ['-v', 'error', '-y', '-i', sample.path, '-an', '-c', 'copy', making],
      options.signal === undefined ? {} : { signal: options.signal },
    );
    renameSync(making, path);
  } finally {
    rmSync(making, { force: true });
  }
  return path;
}

/** Puts a file into the sandbox's Drive under its id, if it is one of ours. */
export async function registerDriveFile(world: World, fileId: string, options: SampleOptions): Promise<void> {
  const { drive, truth } = world.sandbox;
  if (fileId === DRIVE_FILES.notAVideo) {
    const path = join(options.cacheDir, 'sample', 'notes.txt');
    mkdirSync(join(options.cacheDir, 'sample'), { recursive: true });
    writeFileSync(path, 'Meeting notes, saved under the name of a video.\n');
    await drive.addFile(fileId, path, { name: 'meeting-notes.mp4' });
  } else if (fileId === DRIVE_FILES.video || fileId === DRIVE_FILES.silent) {
    const sample = await sampleVideo(options);
    truth.addVideo(sample.sha256, sample.truth);
    const path = fileId === DRIVE_FILES.video ? sample.path : await silentVideo(sample, options);
    await drive.addFile(fileId, path, { name: `${fileId}.mp4` });
  }
}

/** Registers every sample that an input mentions; making videos for others would only cost time. */
export async function registerMentioned(world: World, input: unknown, options: SampleOptions): Promise<void> {
  for (const file of ['video', 'silent', 'notAVideo'] as const) {
    if (mentions(input, file)) await registerDriveFile(world, DRIVE_FILES[file], options);
  }
}

/** Does the input name this file? */
export function mentions(input: unknown, file: keyof typeof DRIVE_FILES): boolean {
  return JSON.stringify(input).includes(JSON.stringify(DRIVE_FILES[file]));
}

function paths(cacheDir: string): { directory: string; path: string; notes: string } {
  const hash = createHash('sha256');
  for (const name of readdirSync(GENERATOR).toSorted()) {
    if (name.startsWith('sample')) hash.update(readFileSync(join(GENERATOR, name)));
  }
  const directory = join(cacheDir, 'sample');
  const stem = join(directory, `sample-video-${hash.digest('hex').slice(0, 10)}`);
  return { directory, path: `${stem}.mp4`, notes: `${stem}.json` };
}
