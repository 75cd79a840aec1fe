// Are the synthesised stacks those of today's sources, and how are they made when not?
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAPTOP_STAGE } from './world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Everything a template or a bundle is made of. */
const SOURCES = [
  'lambdas',
  'lib/aws',
  'statemachines',
  'lib/laptop/synthesize.ts',
  'cdk.json',
  'package.json',
  'package-lock.json',
];
/** An older one may still be in use by a process that serves. */
const KEPT = 3;

/** SHA-256 over the path and content of every source, and the Node that bundles them. */
export function sourcesFingerprint(root: string = ROOT): string {
  const hash = createHash('sha256').update(`${process.version} ${LAPTOP_STAGE}\n`);
  const add = (path: string): void => {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  };
  for (const source of SOURCES) {
    if (!statSync(join(root, source)).isDirectory()) {
      add(source);
      continue;
    }
    const below = readdirSync(join(root, source), { recursive: true, withFileTypes: true });
    const files = below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.toSorted()) add(file.slice(root.length).replaceAll('\\', '/'));
  }
  return hash.digest('hex').slice(0, 20);
}

export interface AssemblyChoice {
  directory: string;
  /** Made earlier from the same sources. */
  isCurrent: boolean;
}

/** Where the assembly of today's sources is or belongs: a folder named after their content, so it cannot be stale. */
export function assemblyOfToday(cacheDir: string): AssemblyChoice {
  const directory = join(cacheDir, 'cdk.out', sourcesFingerprint());
  return { directory, isCurrent: existsSync(join(directory, 'manifest.json')) };
}

/**
 * Synthesises in a process of its own, aside, and moves the result into place: another command that starts at the same
 * time never sees half of it.
 * @throws Error with what the synthesis said.
 */
export async function makeAssembly(directory: string, signal?: AbortSignal): Promise<void> {
  const folder = join(directory, '..');
  mkdirSync(folder, { recursive: true });
  const making = `${directory}-making-${process.pid}`;
  try {
    await synthesizeAside(making, signal);
    renameSync(making, directory);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(join(directory, 'manifest.json'))) throw error;
  } finally {
    for (const leftover of [making, `${making}-bundles`]) rmSync(leftover, { recursive: true, force: true });
  }
  prune(folder, directory);
}

/** Marks an assembly as used now, so that it is the last to be pruned. */
export function touchAssembly(directory: string): void {
  const now = new Date();
  utimesSync(directory, now, now);
}

function synthesizeAside(outDir: string, signal?: AbortSignal): Promise<void> {
  const code =
    "import { synthesize } from './lib/laptop/synthesize.ts'; await synthesize('dev', process.argv[1]);";
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code, '--', outDir], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let said = '';
    const keep = (chunk: string): void => {
      said = `${said}${chunk}`.slice(-16_384);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      if (exitCode === 0) resolve();
      else reject(new Error(`The stacks could not be synthesised:\n${said.trim()}`));
    });
  });
}

function prune(folder: string, keep: string): void {
  const finished = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => path !== keep && !path.includes('-making-'))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of finished.slice(KEPT - 1)) rmSync(path, { recursive: true, force: true });
}
