// How good are the cuts that were found?
import type { ClipTruth } from './truth.ts';

export interface CutScore {
  truePositives: number;
  /** Found, but neither a hard cut nor the one boundary that a transition may have. */
  falsePositives: number[];
  missed: number[];
  precision: number;
  recall: number;
  f1: number;
}

/**
 * Matches found cuts with the truth, each at most once, within `toleranceFrames` frames. One boundary inside a dissolve or
 * fade is neither right nor wrong; inside a flash every boundary is wrong.
 */
export function scoreCuts(
  foundMs: readonly number[],
  truth: Pick<ClipTruth, 'cutsMs' | 'transitions' | 'frameRate'>,
  toleranceFrames: number = 2,
): CutScore {
  const toleranceMs = (toleranceFrames * 1000) / truth.frameRate + 1;
  const open = new Set(truth.cutsMs);
  const used = new Set<number>();
  const falsePositives: number[] = [];
  let truePositives = 0;
  for (const at of foundMs) {
    const match = [...open].find((cut) => Math.abs(cut - at) <= toleranceMs);
    if (match !== undefined) {
      open.delete(match);
      truePositives++;
      continue;
    }
    const inside = truth.transitions.findIndex(
      (span) => span.kind !== 'flash' && at >= span.startMs - toleranceMs && at <= span.endMs + toleranceMs,
    );
    if (inside === -1 || used.has(inside)) falsePositives.push(at);
    else used.add(inside);
  }
  const precision =
    truePositives + falsePositives.length === 0 ? 1 : truePositives / (truePositives + falsePositives.length);
  const recall = truth.cutsMs.length === 0 ? 1 : truePositives / truth.cutsMs.length;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { truePositives, falsePositives, missed: [...open], precision, recall, f1 };
}
