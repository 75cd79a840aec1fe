// What does a command say, and with which exit code, when it runs in this process?
import { join } from 'node:path';
import { runCli } from '../../lib/laptop/cli.ts';
import { CACHE_DIR, type Surroundings } from '../../lib/laptop/laptop.ts';
import { openScreen } from '../../lib/laptop/screen.ts';
import { locateFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';

export interface Said {
  exitCode: number;
  out: string;
  err: string;
}

/** Runs a command with plain output. `folder` is below .impresario: nothing is served from there. */
export async function command(args: readonly string[], given: Partial<Surroundings> = {}): Promise<Said> {
  const said = { out: '', err: '' };
  const exitCode = await runCli(args, {
    out: openScreen({ write: (text: string) => (said.out += text) }),
    err: openScreen({ write: (text: string) => (said.err += text) }),
    writeOut: (text) => {
      said.out += text;
    },
    env: {},
    cacheDir: CACHE_DIR,
    findFfmpeg: () => locateFfmpeg(),
    signal: new AbortController().signal,
    ...given,
  });
  return { exitCode, ...said };
}

export const ROOT = join(import.meta.dirname, '..', '..');
