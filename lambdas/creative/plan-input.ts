// What does whoever writes the plan need to know?
import * as z from 'zod';
import { CreativeRequest } from './request.ts';
import { listOf, RankedScene, SceneFeatures, Video } from './types.ts';

export const PlanInput = z.object({
  request: CreativeRequest,
  video: Video,
  features: listOf(SceneFeatures),
  ranked: listOf(RankedScene),
});
