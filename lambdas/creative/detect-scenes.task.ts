// Where are the cuts?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { listOf, Scene, Video } from './types.ts';
import { ffmpeg } from './media/ffmpeg.ts';
import { detectScenes } from './media/detect-scenes.ts';
import { withSource } from './workspace.ts';

export const { handler, task } = defineTask({
  name: 'DetectScenes',
  input: z.object({ video: Video }),
  output: z.object({ scenes: listOf(Scene) }),
  needs: { ffmpeg, sources: bucketNeed([{ prefix: 'sources/', access: 'read' }]) },
  memoised: true,
  memoryMb: 3008,
  ephemeralStorageMb: 2048,
  runPercent: [10, 20],
  run: ({ video }, { ffmpeg: tool, sources }) =>
    withSource(sources, video.key, async ({ path }) => ({
      scenes: { list: (await detectScenes(tool, path, video)).scenes },
    })),
});
