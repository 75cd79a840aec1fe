// What is seen and heard in each scene?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { analysed } from './analysis.ts';
import { watchVideo } from './media/detect-scenes.ts';
import { ffmpeg } from './media/ffmpeg.ts';
import { measureScenes } from './media/measure.ts';
import { MeasuredScene } from './scene-parts.ts';
import { listOf, Scene, Video } from './types.ts';
import { withSource } from './workspace.ts';

/** Of one ffmpeg run; the pass over the whole video takes nearly all of the state's ten minutes when it must. */
const PASS_LIMIT_MS = 570_000;

export const { handler, task } = defineTask({
  name: 'ExtractFeatures',
  input: z.object({ video: Video, scenes: listOf(Scene) }),
  output: z.object({ measured: listOf(MeasuredScene) }),
  needs: {
    ffmpeg,
    media: bucketNeed([
      { prefix: 'sources/', access: 'read' },
      { prefix: 'analysis/', access: 'read' },
      { prefix: 'analysis/', access: 'write' },
      { prefix: 'frames/', access: 'write' },
    ]),
  },
  memoised: true,
  memoryMb: 3008,
  ephemeralStorageMb: 2560,
  runPercent: [20, 35],
  async run({ video, scenes }, { ffmpeg: tool, media, run, progress }) {
    const wanted = {
      tenant: run.tenant,
      sha256: video.sha256,
      what: 'features-v1',
      schema: listOf(MeasuredScene),
    };
    const measured = await analysed(media, wanted, () =>
      withSource(media, video.key, async ({ path, directory }) => {
        const signal = await watchVideo(tool, path, {
          hasAudio: video.hasAudio,
          timeoutMs: PASS_LIMIT_MS,
        });
        progress(40);
        const found = await measureScenes(tool, path, scenes.list, signal, {
          dir: directory,
          timeoutMs: PASS_LIMIT_MS,
        });
        progress(80);
        const list: MeasuredScene[] = [];
        for (const { sceneId, framePath, frameMs: _, ...features } of found) {
          const scene = scenes.list.find(({ id }) => id === sceneId);
          if (!scene) throw new Error(`Measured a scene ${sceneId} that nobody detected.`);
          const frameKey = `${run.tenant}/frames/${video.sha256}/${sceneId}.jpg`;
          await media.upload(framePath, frameKey, { contentType: 'image/jpeg' });
          list.push({ ...scene, ...features, frameKey });
        }
        return { list };
      }),
    );
    return { measured };
  },
});
