// How are sequences played on several cores?
import { fork } from 'node:child_process';
import type { Summary } from './sequences.ts';

const PLAYER = new URL('player.ts', import.meta.url).pathname;
/** Seeds that one worker plays before it asks for more. */
const BATCH = 50;

/** Each worker is a process of its own; stops at the first batch with a violation. */
export async function playInWorkers(
  { from, count, workers }: { from: number; count: number; workers: number },
  onProgress: (done: number) => void,
): Promise<Summary> {
  const total: Summary = { sequences: 0, effects: 0, statuses: {}, failed: [] };
  const end = from + count;
  let next = from;
  let told = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(PLAYER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const give = (): void => {
        if (next >= end || total.failed.length > 0) {
          child.disconnect();
          return;
        }
        const seeds = { from: next, count: Math.min(BATCH, end - next) };
        next += seeds.count;
        child.send(seeds);
      };
      child.on('message', (summary: Summary) => {
        add(total, summary);
        if (total.sequences - told >= 500) onProgress((told = total.sequences));
        give();
      });
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`A worker ended with ${code}.`)),
      );
      give();
    });
  await Promise.all(Array.from({ length: workers }, work));
  return total;
}

function add(total: Summary, more: Summary): void {
  total.sequences += more.sequences;
  total.effects += more.effects;
  total.failed.push(...more.failed);
  for (const [status, count] of Object.entries(more.statuses))
    total.statuses[status] = (total.statuses[status] ?? 0) + count;
}
