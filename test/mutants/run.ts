// Would the tests notice if the executor of changes were broken?
//
// Each patch of this folder breaks it in one way. It is applied to a copy of the project, where a fixed quick set of tests must
// then fail. `npm run test:mutants` plays all patches, `npm run test:mutants no-fencing` those whose name contains the word.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const AT_ONCE = 2;
/** Made anew, or not needed. */
const LEFT_OUT = ['node_modules', '.git', '.impresario', 'cdk.out'];
/** More than the suite's own: a mutant must not live by luck. */
const SEQUENCES = '300';
/** Most mutants die here. */
const FIRST = 'test/changes/executor-sequences.test.ts';

interface Ended {
  code: number;
  text: string;
}

/** Never throws: a program that cannot be started ended badly. */
function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, SEQUENCES, NO_COLOR: '1' } });
    let text = '';
    const hear = (chunk: Buffer): void => void (text += chunk.toString('utf8'));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error) => resolve({ code: 1, text: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

/** Tests of the executor that start no whole cloud, neither themselves nor by what they import; the sequences first. */
function quickTests(): string[] {
  const folder = join(ROOT, 'test', 'changes');
  const alone = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !startsCloud(join(folder, name), new Set()))
    .map((name) => `test/changes/${name}`);
  return [FIRST, ...alone.filter((name) => name !== FIRST)];
}

function startsCloud(file: string, seen: Set<string>): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  if (/\b(startWorld|testAssembly)\b/.test(text)) return true;
  const imports = [...text.matchAll(/from '(\.[^']+\.ts)'/g)].map(([, path]) =>
    join(dirname(file), String(path)),
  );
  return imports.some((path) => path.startsWith(join(ROOT, 'test')) && startsCloud(path, seen));
}

function copy(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `mutant-${name}-`));
  const filter = (source: string): boolean => !LEFT_OUT.includes(relative(ROOT, source));
  cpSync(ROOT, folder, { recursive: true, filter });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function test(folder: string, tests: readonly string[]): Promise<Ended> {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  return run(process.execPath, [vitest, 'run', '--bail=1', '--maxWorkers=1', ...tests], folder);
}

/** Undefined when it was caught; otherwise what is wrong. */
async function survived(patch: string, tests: readonly string[]): Promise<string | undefined> {
  const folder = copy(basename(patch, '.patch'));
  try {
    const applied = await run('patch', ['-p1', '--forward', '--input', patch], folder);
    if (applied.code !== 0) return `does not apply: ${applied.text.trim()}`;
    const { code } = await test(folder, tests);
    return code === 0 ? 'SURVIVED' : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(word: string): Promise<boolean> {
  const tests = quickTests();
  const patches = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.patch') && name.includes(word))
    .toSorted();
  const whole = copy('none');
  const sound = await test(whole, tests).finally(() => rmSync(whole, { recursive: true, force: true }));
  if (sound.code !== 0) {
    process.stdout.write(`${sound.text}\nThe tests fail without any mutant: what they catch says nothing.\n`);
    return false;
  }
  let [caught, played] = [0, 0];
  const left = [...patches];
  const work = async (): Promise<void> => {
    for (let patch = left.shift(); patch !== undefined; patch = left.shift()) {
      const trouble = await survived(join(import.meta.dirname, patch), tests);
      played += 1;
      if (trouble === undefined) caught += 1;
      process.stdout.write(
        `${played}/${patches.length} ${basename(patch, '.patch')}: ${trouble ?? 'caught'}\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  process.stdout.write(`${caught}/${patches.length} caught\n`);
  return patches.length > 0 && caught === patches.length;
}

process.exitCode = (await main(process.argv[2] ?? '')) ? 0 : 1;
