// Which synthesised stacks do the tests deploy?
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCES = [
  'lambdas',
  'lib/aws',
  'statemachines',
  'lib/laptop/synthesize.ts',
  'cdk.json',
  'package-lock.json',
];

/**
 * A `cdk.out` of today's sources. Made once per state of the sources and shared by all test files; made aside and moved into
 * place, so that test processes side by side never see half of one.
 */
export function testAssembly(): string {
  const folder = join(ROOT, '.impresario', 'assemblies');
  const finished = join(folder, fingerprint());
  if (existsSync(finished)) return finished;
  mkdirSync(folder, { recursive: true });
  const made = join(folder, `making-${process.pid}-${Date.now()}`);
  execFileSync(process.execPath, [join(import.meta.dirname, 'synthesize.ts'), made], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    renameSync(made, finished);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(finished)) throw error;
    rmSync(made, { recursive: true, force: true });
  }
  return finished;
}

/** Names, sizes and times of change of everything the templates are made of. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const { mtimeMs, size } = statSync(join(ROOT, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const source of SOURCES) {
    if (!statSync(join(ROOT, source)).isDirectory()) add(source);
    else
      for (const file of readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' }).toSorted())
        add(join(source, file));
  }
  return hash.digest('hex').slice(0, 16);
}
