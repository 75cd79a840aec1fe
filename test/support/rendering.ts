// How does a test give a render task a real source and a plan for it?
import { defaultPlan } from '../../lambdas/creative/director.ts';
import { rankScenes } from '../../lambdas/creative/media/rank.ts';
import type { BattlePlan, SceneFeatures } from '../../lambdas/creative/types.ts';
import type { Clip } from './clip.ts';
import { BRIEF, requestOf, scenesOf } from './creative-run.ts';
import type { Job, TaskRig } from './task-rig.ts';

/** Ads of three seconds in one square format from the clip, which is put where IngestVideo leaves it. */
export async function renderInput(rig: TaskRig, job: Job, clip: Clip) {
  const video = { ...clip.video, key: `${job.tenant}/sources/${clip.sha256}` };
  await rig.media.put(video.key, clip.bytes);
  const edges = [0, ...clip.cutsMs, clip.video.durationMs];
  const scenes = edges.slice(1).map((endMs, index): SceneFeatures => {
    const like = scenesOf(job.tenant)[index];
    if (like === undefined) throw new Error('The clip has more scenes than the fixture.');
    return { ...like, startMs: edges[index] ?? 0, endMs };
  });
  const brief = { ...BRIEF, durationSeconds: 3, formats: ['1:1' as const] };
  const ranked = rankScenes(scenes, { heightPixels: video.height });
  const plan: BattlePlan = {
    ...defaultPlan({ brief, scenes, ranked, sourceSha256: video.sha256 }),
    writtenBy: 'default-strategy',
    needsReview: false,
    reasons: [],
  };
  return { request: requestOf(job.tenant, { brief }), video, features: { list: scenes }, plan };
}
