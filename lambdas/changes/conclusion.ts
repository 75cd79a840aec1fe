// What does a verdict write?
import type { Change, Mode } from './change.ts';
import type { MoveName } from './lifecycle.ts';
import type { Verdict } from './verdict.ts';

export interface Conclusion {
  move: Extract<MoveName, 'complete' | 'fail' | 'block' | 'defer' | 'ask' | 'lapse'>;
  reason: string;
  code: string;
  /** Epoch milliseconds, for what is put off. */
  notBefore?: number;
  /** An earlier try may have reached the platform, and nobody could look. */
  keepIntent?: boolean;
  /** The ledger's view of the reservation; `unknown` while nobody could look whether a try reached the platform. */
  reservation: 'applied' | 'not-applied' | 'unknown';
  result?: NonNullable<Change['result']>;
  /** How the execution ends, in its output and in metrics. */
  outcome: 'applied' | 'checked' | 'needless' | 'deferred' | 'held' | 'blocked' | 'failed' | 'expired';
}

/** Pure. @throws Error for an `apply`, which nobody carried out. */
export function conclude(verdict: Verdict, mode: Mode): Conclusion {
  switch (verdict.decision) {
    case 'apply':
      throw new Error('A change that may be applied was neither applied nor refused.');
    case 'applied':
      return {
        move: 'complete',
        reason: '',
        code: 'applied',
        reservation: 'applied',
        outcome: 'applied',
        result: { before: verdict.before, applied: verdict.applied, executedAt: verdict.executedAt },
      };
    case 'checked':
      return {
        ...said(verdict),
        move: 'complete',
        code: mode,
        reservation: 'not-applied',
        outcome: 'checked',
      };
    case 'needless':
      return { ...said(verdict), move: 'complete', reservation: 'not-applied', outcome: 'needless' };
    case 'defer':
      return {
        ...said(verdict),
        move: 'defer',
        notBefore: verdict.retryAt,
        keepIntent: verdict.unseen === true,
        reservation: verdict.unseen === true ? 'unknown' : 'not-applied',
        outcome: 'deferred',
      };
    case 'hold':
      return { ...said(verdict), move: 'ask', reservation: 'not-applied', outcome: 'held' };
    case 'block':
      return { ...said(verdict), move: 'block', reservation: 'not-applied', outcome: 'blocked' };
    case 'fail':
      return { ...said(verdict), move: 'fail', reservation: 'not-applied', outcome: 'failed' };
    case 'expire':
      return { ...said(verdict), move: 'lapse', reservation: 'not-applied', outcome: 'expired' };
  }
}

function said({ code, reason }: { code: string; reason: string }): { code: string; reason: string } {
  return { code, reason };
}
