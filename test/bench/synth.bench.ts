// How long does `cdk synth` take without its validation, all functions included?
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { discover } from '../../lib/aws/discover.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RUNS = 3;

export interface SynthBench {
  functions: number;
  runs: number;
  /** Median, wall clock. */
  seconds: number;
}

/** As typed in the inner loop, a process each time. @throws Error when synth fails */
export async function benchSynth(): Promise<SynthBench> {
  const { tasks, triggers, routes } = await discover();
  const out = join(ROOT, '.impresario', `bench-synth-${process.pid}`);
  const command = [
    join(ROOT, 'node_modules/aws-cdk/bin/cdk'),
    'synth',
    '-c',
    'stage=dev',
    '--quiet',
    '--no-validation',
  ];
  const seconds: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const startedAt = performance.now();
    execFileSync(process.execPath, [...command, '--output', out], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    seconds.push((performance.now() - startedAt) / 1_000);
  }
  rmSync(out, { recursive: true });
  return {
    functions: tasks.length + triggers.length + routes.length,
    runs: RUNS,
    seconds: seconds.toSorted((a, b) => a - b)[RUNS >> 1] ?? Number.NaN,
  };
}
