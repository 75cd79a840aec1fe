// Is it a video we can work with?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { ffmpeg } from './media/ffmpeg.ts';
import { probeVideo } from './media/probe.ts';
import { Ingested } from './ingested.ts';
import { Video } from './types.ts';
import { withSource } from './workspace.ts';

export const { handler, task } = defineTask({
  name: 'CheckVideo',
  input: z.object({ source: Ingested }),
  output: z.object({ video: Video }),
  needs: { ffmpeg, sources: bucketNeed([{ prefix: 'sources/', access: 'read' }]) },
  memoised: true,
  memoryMb: 3008,
  ephemeralStorageMb: 2560,
  runPercent: [6, 10],
  run: ({ source }, { ffmpeg: tool, sources }) =>
    withSource(sources, source.key, async ({ path }) => {
      const { sizeBytes, durationMs, width, height, frameRate, codec, hasAudio } = await probeVideo(
        tool,
        path,
      );
      return {
        video: {
          sha256: source.sha256,
          key: source.key,
          sizeBytes,
          durationMs,
          width,
          height,
          frameRate,
          codec,
          hasAudio,
        },
      };
    }),
});
