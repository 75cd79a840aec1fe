// May a person decide this about a waiting change, and what does their decision write?
import type { Step } from './change-item.ts';
import { changeDigest, type Change } from './change.ts';

export const DECISIONS = ['approve', 'reject', 'cancel', 'hold', 'release'] as const;
export type Decision = (typeof DECISIONS)[number];

/** Only these are let go by `release`; what waits for an approval gets one. */
export const HELD_BY_PERSON = 'held-by-person';

export interface Order {
  decision: Decision;
  actor: string;
  comment: string;
  /** Of what the person saw. */
  digest?: string | undefined;
}

type Ruling =
  | { step: Omit<Step, 'move' | 'lease' | 'leaseBefore'> & { move: Decision } }
  | { refusal: string };

const FROM: Readonly<Record<Decision, readonly Change['status'][]>> = {
  approve: ['HELD'],
  reject: ['HELD'],
  cancel: ['PENDING', 'HELD'],
  hold: ['PENDING'],
  release: ['HELD'],
};
const DONE: Readonly<Record<Decision, string>> = {
  approve: 'approved',
  reject: 'rejected',
  cancel: 'cancelled',
  hold: 'held',
  release: 'released',
};

/** Nobody can want it any more; what may have reached the platform is found out first. Pure. */
export function hasExpired(
  { expiresAt, intent }: Pick<Change, 'expiresAt' | 'intent'>,
  nowMs: number,
): boolean {
  return expiresAt <= nowMs && intent === undefined;
}

/** A sentence why not, or the move. Pure. */
export function ruleOn(change: Change, { decision, actor, comment, digest }: Order, nowMs: number): Ruling {
  const { id, status, statusCode, intent } = change;
  const now = `${id} is ${status}${change.statusReason === '' ? '' : ` (${change.statusReason})`}`;
  if (!FROM[decision].includes(status))
    return { refusal: `${now}: only what is ${FROM[decision].join(' or ')} can be ${DONE[decision]}.` };
  if (digest !== undefined && digest !== changeDigest(change)) return { refusal: otherDigest(id) };
  if (decision === 'release' && statusCode !== HELD_BY_PERSON)
    return { refusal: `${now}: no person holds it, it waits for an approval.` };
  if (intent !== undefined && (decision === 'reject' || decision === 'cancel' || decision === 'hold')) {
    return {
      refusal: `${id} may have reached the platform already: that is found out first. Take it back with undo once it is over.`,
    };
  }
  const said = { move: decision, nowMs, reason: comment };
  switch (decision) {
    case 'approve': {
      const approval = { actor, comment, at: nowMs, digest: changeDigest(change) };
      return { step: { ...said, code: 'approved', set: { approval } } };
    }
    case 'reject':
      return { step: { ...said, code: 'rejected', set: { retracted: false } } };
    case 'cancel':
      // Whoever queued it does not bring it back.
      return { step: { ...said, code: 'cancelled', set: { retracted: false } } };
    case 'hold':
      return { step: { ...said, code: HELD_BY_PERSON } };
    case 'release':
      return { step: { ...said, code: 'released' } };
  }
}

export function otherDigest(id: string): string {
  return `The digest is not that of ${id} as it waits now: look at it again.`;
}

/** Those that others of the list must follow come first. Pure. */
export function parentsFirst<C extends Pick<Change, 'id' | 'after' | 'behind' | 'createdAt'>>(
  changes: readonly C[],
): C[] {
  const byId = new Map(changes.map((change) => [change.id, change]));
  const ordered = new Set<C>();
  const open = new Set<C>();
  const visit = (change: C): void => {
    if (ordered.has(change) || open.has(change)) return;
    open.add(change);
    for (const id of [...change.after, ...change.behind]) {
      const parent = byId.get(id);
      if (parent !== undefined) visit(parent);
    }
    ordered.add(change);
  };
  const oldestFirst = changes.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  for (const change of oldestFirst) visit(change);
  return [...ordered];
}
