// Which scenes are worth showing, over everything that is known of them?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { rankScenes } from './media/rank.ts';
import { assignWords } from './media/transcript.ts';
import { MeasuredScene, SceneLabels, Transcript } from './scene-parts.ts';
import { listOf, RankedScene, SceneFeatures, Video } from './types.ts';

export const { handler, task } = defineTask({
  name: 'RankScenes',
  input: z.object({
    video: Video,
    measured: listOf(MeasuredScene),
    labels: listOf(SceneLabels),
    transcript: Transcript,
  }),
  output: z.object({ features: listOf(SceneFeatures), ranked: listOf(RankedScene) }),
  needs: {},
  memoised: true,
  memoryMb: 512,
  runPercent: [48, 50],
  async run({ video, measured, labels, transcript }) {
    const words = transcript.words === null ? null : assignWords(transcript.words, measured.list);
    const features = measured.list.map((scene): SceneFeatures => {
      const seen = labels.list.find(({ id }) => id === scene.id);
      const objects = seen?.objects ?? null;
      const texts = seen?.texts ?? null;
      const spoken = words === null ? null : (words.get(scene.id) ?? []);
      const missing: SceneFeatures['missing'] = [];
      if (objects === null) missing.push('objects');
      if (texts === null) missing.push('texts');
      if (spoken === null) missing.push('words');
      if (scene.loudnessLufs === null) missing.push('audio');
      return { ...scene, objects, texts, words: spoken, missing };
    });
    return {
      features: { list: features },
      ranked: { list: rankScenes(features, { heightPixels: video.height }) },
    };
  },
});
