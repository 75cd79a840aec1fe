// Which rights did the worlds of a run of the suite need, in whichever process they were?
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '../../lib/local/cloud.ts';

/** What a policy says, not what a request asked for: action and resource may be patterns. */
export interface GrantedRight {
  roleArn: string;
  action: string;
  resource: string;
}

export const idOf = ({ roleArn, action, resource }: GrantedRight): string =>
  `${roleArn} ${action} ${resource}`;

/** Leaves a note in the folder; a world does so when it is closed. */
export function noteUse(folder: string, cloud: Pick<Cloud, 'grantedPairs'>): void {
  const used = cloud.grantedPairs().filter((pair) => pair.used);
  writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify([...new Set(used.map(idOf))]));
}

/** `idOf` of everything that any world noted in the folder, and how many worlds did. */
export function usedIn(folder: string): { worlds: number; used: ReadonlySet<string> } {
  const notes = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as string[],
  );
  return { worlds: notes.length, used: new Set(notes.flat()) };
}
