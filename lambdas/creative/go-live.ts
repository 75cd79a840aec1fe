// Which changes bring a launch to life, and in which order?
import * as z from 'zod';
import { changeId, type ChangeRequest } from '../changes/change.ts';
import { Experiment } from './experiment.ts';
import type { Published } from './publish-input.ts';
import type { BattlePlan, Forecast } from './types.ts';

/** Effect of queueing; its subject is the campaign. */
export const GO_LIVE = 'go-live';

export const GoLive = z.object({ status: z.enum(['HELD', 'PENDING']), changeIds: z.array(z.string()) });

/** What queueing remembers before it writes. */
export const GoLiveIntent = z.object({
  changeIds: z.array(z.string()),
  /** The run's experiment before a later attempt added to it; null when there was none. */
  experimentBefore: Experiment.nullable(),
});
export type GoLiveIntent = z.infer<typeof GoLiveIntent>;

/** A launch nobody approved for this long is forgotten. */
const EXPIRES_AFTER_MS = 14 * 86_400_000;

export interface Launch {
  tenant: string;
  runId: string;
  published: Published;
  plan: BattlePlan;
  forecasts: readonly z.infer<typeof Forecast>[];
  nowMs: number;
  /** Epoch milliseconds before which nothing goes live. */
  notBefore: number;
}

/** One ACTIVATE each for campaign, ad set and every ad, parents first; a child waits for its parent. */
export function goLiveChanges(launch: Launch): ChangeRequest[] {
  const { tenant, runId, published, plan, forecasts, nowMs, notBefore } = launch;
  const common = {
    accountId: published.accountId,
    kind: 'ACTIVATE',
    from: 'PAUSED',
    to: 'ACTIVE',
    currency: published.currency,
    origin: { area: 'creative', id: runId, actor: 'creative-generation' },
    expiresAt: nowMs + EXPIRES_AFTER_MS,
    notBefore,
  } as const;
  const campaign: ChangeRequest = {
    ...common,
    entity: { kind: 'campaign', id: published.campaignId },
    reason: `Launch of “${plan.title}”: the campaign.`,
  };
  const adSet: ChangeRequest = {
    ...common,
    entity: { kind: 'adset', id: published.adSetId },
    reason: `Launch of “${plan.title}”: its ad set.`,
    after: [changeId(tenant, campaign)],
  };
  const ads = published.ads.map(({ adId, variationId }): ChangeRequest => {
    const variation = plan.variations.find(({ id }) => id === variationId);
    const forecast = forecasts.find((one) => one.variationId === variationId);
    return {
      ...common,
      entity: { kind: 'ad', id: adId },
      reason: `Launch of “${plan.title}”: the ad “${variation?.hook.text ?? variationId}”.`,
      evidence: {
        variationId,
        ...(forecast
          ? { predictedCtr: forecast.ctr.probability, ctrSource: forecast.ctr.source, roas: forecast.roas }
          : {}),
      },
      // A day's budget, shared, at the forecast return over what is spent.
      expectedValueMinor: Math.round(
        (published.dailyBudgetMinor / published.ads.length) * Math.max((forecast?.roas.expected ?? 1) - 1, 0),
      ),
      after: [changeId(tenant, adSet)],
    };
  });
  return [campaign, adSet, ...ads];
}
