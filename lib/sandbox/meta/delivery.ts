// What does the platform make of a simulated campaign, ad set or ad: is it running?
import type { GraphObject, ObjectStore } from './store.ts';

/** A review's word on an object; null when it may run. */
export type Review = 'PENDING_REVIEW' | 'IN_PROCESS' | 'DISAPPROVED' | 'WITH_ISSUES' | null;

/** Reviews that are not over, or went badly, show even on an ad that is switched off. */
const OUTRANKS_PAUSE: readonly Review[] = ['PENDING_REVIEW', 'IN_PROCESS', 'DISAPPROVED'];
const FINAL = ['DELETED', 'ARCHIVED'] as const;

/** Campaign, then ad set, of an object; nothing for a campaign. */
export function parentsOf(
  object: GraphObject,
  store: ObjectStore,
): { campaign?: GraphObject; adSet?: GraphObject } {
  const campaign = object.kind === 'campaign' ? undefined : store.get(String(object.fields['campaign_id']));
  const adSet = object.kind === 'ad' ? store.get(String(object.fields['adset_id'])) : undefined;
  return {
    ...(campaign === undefined ? {} : { campaign }),
    ...(adSet === undefined ? {} : { adSet }),
  };
}

/** `effective_status`: never stored, because a parent's change changes it. */
export function effectiveStatus(object: GraphObject, store: ObjectStore, review: Review): string {
  const own = String(object.fields['status']);
  const { campaign, adSet } = parentsOf(object, store);
  const all = [own, campaign?.fields['status'], adSet?.fields['status']];
  const final = FINAL.find((status) => all.includes(status));
  if (final !== undefined) return final;
  if (review !== null && OUTRANKS_PAUSE.includes(review)) return review;
  if (own === 'PAUSED') return 'PAUSED';
  if (campaign?.fields['status'] === 'PAUSED') return 'CAMPAIGN_PAUSED';
  if (adSet?.fields['status'] === 'PAUSED') return 'ADSET_PAUSED';
  return review ?? own;
}
