// Which optimisation goals agree with which campaign objective?

/**
 * Pairs that make sense, a subset of what vendors accept: a campaign that is judged by sales must not be optimised for
 * reach, which finds people who are cheap to show ads to and never buy.
 */
export const GOALS_BY_OBJECTIVE = {
  awareness: ['reach', 'impressions', 'video-views'],
  engagement: ['video-views', 'post-engagement'],
  traffic: ['link-clicks', 'landing-page-views'],
  leads: ['lead-forms', 'conversions'],
  sales: ['conversions', 'conversion-value'],
} as const;

export type Objective = keyof typeof GOALS_BY_OBJECTIVE;
export type Goal<O extends Objective = Objective> = (typeof GOALS_BY_OBJECTIVE)[O][number];

/** An objective with a goal that agrees with it. */
export type CampaignAim = { [O in Objective]: { objective: O; goal: Goal<O> } }[Objective];

/** For pairs that come from configuration or a model rather than from code. */
export function agree(objective: string, goal: string): boolean {
  const goals: readonly string[] | undefined = Object.entries(GOALS_BY_OBJECTIVE).find(
    ([name]) => name === objective,
  )?.[1];
  return goals?.includes(goal) ?? false;
}

/** Goals that count what happens on the advertiser's site and therefore need its pixel. */
export function needsPixel(goal: Goal): boolean {
  return goal === 'conversions' || goal === 'conversion-value';
}
