// Does a launch come to life parents first, and is each change the same on every retry?
import { describe, expect, it } from 'vitest';
import { goLiveChanges, type Launch } from '../../lambdas/creative/go-live.ts';
import { changeId } from '../../lambdas/changes/change.ts';
import { creativeRun, publishedOf } from '../support/creative-run.ts';

const { plan, forecasts } = creativeRun('t');
const DAY_MS = 86_400_000;
const launch: Launch = {
  tenant: 't',
  runId: 'run-1',
  published: publishedOf(plan),
  plan,
  forecasts: forecasts.list,
  nowMs: 1_000,
  notBefore: 2_000,
};
const ids = (one: Launch): string[] => goLiveChanges(one).map((change) => changeId(one.tenant, change));

describe('going live', () => {
  it('activates the campaign, then the ad set, then every ad, each after its parent', () => {
    const changes = goLiveChanges(launch);
    expect(
      changes.map(({ entity: { kind, id }, kind: what, from, to }) => [kind, id, what, from, to]),
    ).toEqual([
      ['campaign', '501', 'ACTIVATE', 'PAUSED', 'ACTIVE'],
      ['adset', '502', 'ACTIVATE', 'PAUSED', 'ACTIVE'],
      ['ad', '800', 'ACTIVATE', 'PAUSED', 'ACTIVE'],
      ['ad', '801', 'ACTIVATE', 'PAUSED', 'ACTIVE'],
      ['ad', '802', 'ACTIVATE', 'PAUSED', 'ACTIVE'],
    ]);
    const [campaign, adSet] = ids(launch);
    expect(changes.map(({ after }) => after)).toEqual([undefined, [campaign], [adSet], [adSet], [adSet]]);
    expect(new Set(ids(launch)).size).toBe(5);
  });

  it('has the same ids on a retry at another time, others for objects that were created anew, another run or tenant', () => {
    expect(ids({ ...launch, nowMs: 99_000 })).toEqual(ids(launch));
    const fresh = publishedOf(plan);
    const anew = ids({
      ...launch,
      published: {
        ...fresh,
        campaignId: '901',
        adSetId: '902',
        ads: fresh.ads.map((ad) => ({ ...ad, adId: `9${ad.adId}` })),
      },
    });
    for (const other of [anew, ids({ ...launch, runId: 'run-2' }), ids({ ...launch, tenant: 'u' })])
      expect(other.filter((id) => ids(launch).includes(id))).toEqual([]);
  });

  it('expires after a fortnight and carries its evidence, in whole minor units', () => {
    const [, , ad] = goLiveChanges(launch);
    const forecast = forecasts.list.find(
      ({ variationId }) => variationId === launch.published.ads[0]?.variationId,
    );
    expect(ad).toMatchObject({
      currency: 'USD',
      expiresAt: 1_000 + 14 * DAY_MS,
      evidence: { predictedCtr: forecast?.ctr.probability, ctrSource: 'model', roas: forecast?.roas },
      origin: { area: 'creative', id: 'run-1' },
    });
    expect(ad?.expectedValueMinor).toBe(
      Math.round((2000 / 3) * Math.max((forecast?.roas.expected ?? 0) - 1, 0)),
    );
    const losing = forecasts.list.map((one) => ({ ...one, roas: { expected: 0.4, low: 0.1, high: 0.9 } }));
    expect(goLiveChanges({ ...launch, forecasts: losing })[2]?.expectedValueMinor).toBe(0);
    expect(goLiveChanges({ ...launch, forecasts: [] })[2]?.expectedValueMinor).toBe(0);
  });
});
