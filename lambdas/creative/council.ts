// Do the four judges together approve a variation?
import type * as z from 'zod';
import type { Verdict } from './types.ts';

type Judgement = z.infer<typeof Verdict>['judges'][number];

/** Weights and threshold of the requirements (AI council). */
export const JUDGE_WEIGHTS = { creative: 0.4, psychology: 0.3, logic: 0.2, ctr: 0.1 } as const;
export const QUORUM = 2;

export interface CouncilRules {
  /** Approved at this score or above, 0..100. */
  threshold: number;
}

/**
 * Weighted over the judges that answered, weights renormalised to 1. Fewer than two answers decide nothing: the score is
 * null and the variation is not approved. A silent judge never counts as any number.
 */
export function decide(
  variationId: string,
  judges: readonly Judgement[],
  rewrites: number,
  { threshold }: CouncilRules,
): z.infer<typeof Verdict> {
  const answering = judges.flatMap(({ score, weight }) => (score === null ? [] : [{ score, weight }]));
  const total = answering.reduce((sum, { weight }) => sum + weight, 0);
  const score =
    answering.length < QUORUM
      ? null
      : rounded(answering.reduce((sum, judge) => sum + judge.score * judge.weight, 0) / total);
  const scores = answering.map((judge) => judge.score);
  return {
    variationId,
    score,
    approved: score !== null && score >= threshold,
    judges: [...judges],
    disagreement: scores.length < QUORUM ? 0 : Math.max(...scores) - Math.min(...scores),
    rewrites,
  };
}

/** Weights such as 0.1 have no exact binary form: judges who all say 85 must make 85, not a little less. */
function rounded(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}

/** A predicted click-through equal to the account's usual one is 75; twice it is near 100, half of it near 50. */
export function ctrScore(probability: number, usual: number): number {
  const doublings = Math.log2(probability / usual);
  return Math.min(Math.max(75 + 25 * doublings, 0), 100);
}

export interface PanelRules {
  /** Fewer approved variations than this need a person. */
  minimumApproved: number;
  /** More points between judges than this need a person. */
  maximumDisagreement: number;
}

/**
 * Must a person decide before anything is rendered, and why? Empty: no. Disagreement is looked for among the approved
 * verdicts only: no other variation could be rendered.
 */
export function reviewReasons(
  verdicts: readonly z.infer<typeof Verdict>[],
  rules: PanelRules,
  /** Why the plan itself needs a look; empty when it does not. */
  planReasons: readonly string[],
): string[] {
  const approved = verdicts.filter((verdict) => verdict.approved);
  const torn = approved.filter(({ disagreement }) => disagreement > rules.maximumDisagreement);
  const silent = verdicts.filter(({ score }) => score === null);
  return [
    ...planReasons,
    ...(approved.length < rules.minimumApproved
      ? [
          `Only ${approved.length} of ${verdicts.length} variations reached the threshold; ${rules.minimumApproved} are needed.`,
        ]
      : []),
    ...(silent.length > 0 ? [`Fewer than ${QUORUM} judges answered for ${silent.length} variations.`] : []),
    ...(torn.length > 0
      ? [
          `The judges differ by more than ${rules.maximumDisagreement} points on ${torn.map(({ variationId }) => variationId).join(', ')}.`,
        ]
      : []),
  ];
}
