// Where are the cuts?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { analysed } from './analysis.ts';
import { defineTask } from '../runtime/define-task.ts';
import { listOf, Scene, Video } from './types.ts';
import { ffmpeg } from './media/ffmpeg.ts';
import { detectScenes } from './media/detect-scenes.ts';
import { withSource } from './workspace.ts';

/** Two passes at most, within the ten minutes of the state. */
const PASS_LIMIT_MS = 280_000;

export const { handler, task } = defineTask({
  name: 'DetectScenes',
  input: z.object({ video: Video }),
  output: z.object({ scenes: listOf(Scene) }),
  needs: {
    ffmpeg,
    media: bucketNeed([
      { prefix: 'sources/', access: 'read' },
      { prefix: 'analysis/', access: 'read' },
      { prefix: 'analysis/', access: 'write' },
    ]),
  },
  memoised: true,
  memoryMb: 3008,
  ephemeralStorageMb: 2560,
  runPercent: [10, 20],
  async run({ video }, { ffmpeg: tool, media, run }) {
    const wanted = { tenant: run.tenant, sha256: video.sha256, what: 'scenes-v1', schema: listOf(Scene) };
    const scenes = await analysed(media, wanted, () =>
      withSource(media, video.key, async ({ path }) => ({
        list: (await detectScenes(tool, path, video, { timeoutMs: PASS_LIMIT_MS })).scenes,
      })),
    );
    return { scenes };
  },
});
