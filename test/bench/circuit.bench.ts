// How long does an open circuit take to reject?
import { openCircuits } from '../../lambdas/runtime/circuits.ts';

export interface CircuitBench {
  /** Median over the batches, microseconds per rejected call, `check` and `run` alike. */
  checkMicroseconds: number;
  runMicroseconds: number;
}

const BATCHES = 21;
const CALLS = 10_000;

/** An open circuit in memory, rejecting; the figure to hold is 10 µs. */
export async function benchCircuit(): Promise<CircuitBench> {
  const nowMs = Date.now();
  const row = {
    pk: 'acme#circuit',
    sk: 'vendor',
    version: 1,
    state: JSON.stringify({ status: 'open', until: nowMs + 3_600_000 }),
  };
  const circuits = openCircuits(
    { get: () => Promise.resolve(row), put: () => Promise.resolve(), delete: () => Promise.resolve() },
    { now: Date.now },
  );
  await circuits.run('vendor', 'acme', () => Promise.resolve()).catch(() => undefined);

  const rejected = { check: 0, run: 0 };
  const batch = async (kind: 'check' | 'run'): Promise<number> => {
    const startedNs = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i += 1) {
      try {
        if (kind === 'check') circuits.check('vendor', 'acme');
        else await circuits.run('vendor', 'acme', () => Promise.resolve());
      } catch {
        rejected[kind] += 1;
      }
    }
    return Number(process.hrtime.bigint() - startedNs) / CALLS / 1_000;
  };
  const times = { check: [] as number[], run: [] as number[] };
  for (let i = 0; i < BATCHES; i += 1) {
    times.check.push(await batch('check'));
    times.run.push(await batch('run'));
  }
  if (rejected.check !== BATCHES * CALLS || rejected.run !== BATCHES * CALLS) {
    throw new Error('The open circuit let calls through.');
  }
  const median = (list: number[]): number =>
    list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  return { checkMicroseconds: median(times.check), runMicroseconds: median(times.run) };
}
