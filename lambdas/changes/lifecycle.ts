// Which way may a change go from status to status?
import type { ChangeStatus } from './change.ts';

export interface Move {
  from: readonly ChangeStatus[];
  to: ChangeStatus;
  /** By whoever executes it: only under the lease it was dispatched with. */
  leased: boolean;
  /** Impossible while something may have been written to the platform: that is found out first. */
  untouched: boolean;
}

const WAITING = ['PENDING', 'HELD'] as const;
const TAKEN = ['CLAIMED', 'EXECUTING'] as const;

/** There is no other way to change a status: the repository builds each write's condition from these. */
export const MOVES = {
  /** The dispatcher names the next lease; the change stays where it is. */
  dispatch: { from: ['PENDING'], to: 'PENDING', leased: false, untouched: false },
  claim: { from: ['PENDING'], to: 'CLAIMED', leased: true, untouched: false },
  /** The intent is recorded; what follows may have reached the platform. */
  begin: { from: TAKEN, to: 'EXECUTING', leased: true, untouched: false },
  complete: { from: TAKEN, to: 'COMPLETED', leased: true, untouched: false },
  fail: { from: TAKEN, to: 'FAILED', leased: true, untouched: false },
  block: { from: TAKEN, to: 'BLOCKED', leased: true, untouched: false },
  /** Back to the queue with a time and a reason. */
  defer: { from: TAKEN, to: 'PENDING', leased: true, untouched: false },
  /** A person is asked. */
  ask: { from: TAKEN, to: 'HELD', leased: true, untouched: false },
  /** Its time was over when it was taken up. */
  lapse: { from: TAKEN, to: 'EXPIRED', leased: true, untouched: false },
  /** The sweep takes it from an execution that is over. */
  reclaim: { from: TAKEN, to: 'PENDING', leased: true, untouched: false },
  hold: { from: ['PENDING'], to: 'HELD', leased: false, untouched: true },
  release: { from: ['HELD'], to: 'PENDING', leased: false, untouched: false },
  approve: { from: ['HELD'], to: 'PENDING', leased: false, untouched: false },
  reject: { from: ['HELD'], to: 'CANCELLED', leased: false, untouched: true },
  cancel: { from: WAITING, to: 'CANCELLED', leased: false, untouched: true },
  supersede: { from: WAITING, to: 'SUPERSEDED', leased: false, untouched: true },
  expire: { from: WAITING, to: 'EXPIRED', leased: false, untouched: true },
  /** What it depends on will never be applied. */
  orphan: { from: ['PENDING'], to: 'BLOCKED', leased: false, untouched: true },
} as const satisfies Record<string, Move>;

export type MoveName = keyof typeof MOVES;

const OVER: readonly ChangeStatus[] = [
  'COMPLETED',
  'FAILED',
  'BLOCKED',
  'SUPERSEDED',
  'EXPIRED',
  'CANCELLED',
];

/** Nothing leads out of these; what follows is another change. */
export function isOver(status: ChangeStatus): boolean {
  return OVER.includes(status);
}

export interface Position {
  status: ChangeStatus;
  lease: number;
  /** Something may have been written to the platform and nobody has looked yet. */
  touched: boolean;
}

/** May this change make this move? `lease`: the lease the mover holds, for moves that need one. */
export function mayMove(name: MoveName, at: Position, lease?: number): boolean {
  const move: Move = MOVES[name];
  if (!move.from.includes(at.status)) return false;
  if (move.leased && lease !== at.lease) return false;
  return !(move.untouched && at.touched);
}
