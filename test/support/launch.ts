// How does a test get a launch into the sandbox's ad account?
import { task as publishAds } from '../../lambdas/creative/publish-ads.task.ts';
import { task as publishCampaign } from '../../lambdas/creative/publish-campaign.task.ts';
import type { Published } from '../../lambdas/creative/publish-input.ts';
import { creativeRun, renderedOf } from './creative-run.ts';
import type { Job, TaskRig } from './task-rig.ts';

/** What the sandbox takes to process any video. */
export const PROCESSING_MS = 30_000;

/** Campaign, ad set and three videos, which are still being processed. */
export async function launchCampaign(rig: TaskRig, job: Job): Promise<Published> {
  const { request, plan } = creativeRun(job.tenant);
  const rendered = renderedOf(job.tenant, plan);
  for (const { renditions, bytes } of rendered) await rig.media.put(renditions[0]?.key ?? '', bytes);
  return (await job.run(publishCampaign, { request, plan, rendered })).published;
}

/** A whole launch: also creatives and ads. */
export async function launchAll(rig: TaskRig, job: Job): Promise<Published> {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  const published = await launchCampaign(rig, job);
  rig.clock.advance(PROCESSING_MS);
  return (await job.run(publishAds, { request, plan, forecasts, published })).published;
}
