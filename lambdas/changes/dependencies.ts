// Has everything happened that a change waits for?
import type { Change } from './change.ts';
import { isOver } from './lifecycle.ts';

export interface Unmet {
  /** It will never be met: what had to be applied first was not. */
  final: boolean;
  reason: string;
}

/** The first thing it still waits for; undefined when nothing is in its way. */
export async function unmetOf(
  change: Pick<Change, 'after' | 'behind'>,
  read: (id: string) => Promise<Pick<Change, 'id' | 'status'> | undefined>,
): Promise<Unmet | undefined> {
  for (const id of change.after) {
    const other = await read(id);
    if (other?.status === 'COMPLETED') continue;
    if (other === undefined)
      return { final: true, reason: `${id}, which has to be applied first, does not exist.` };
    if (isOver(other.status))
      return { final: true, reason: `${id} had to be applied first and is ${other.status}.` };
    return { final: false, reason: `It waits until ${id} is applied, which is ${other.status}.` };
  }
  for (const id of change.behind) {
    const other = await read(id);
    if (other !== undefined && !isOver(other.status))
      return { final: false, reason: `It waits until ${id} is over, which is ${other.status}.` };
  }
  return undefined;
}
