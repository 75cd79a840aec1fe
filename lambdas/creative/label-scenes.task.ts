// Which objects and which text are on each scene's middle frame?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { visionPort } from '../ports/vision/vision-port.ts';
import { CreativeRequest } from './request.ts';
import { MeasuredScene, SceneLabels } from './scene-parts.ts';
import { labelsWithin, parseLabelsSidecar } from './media/labels.ts';
import { listOf } from './types.ts';

/** Frames looked at side by side; the service's default quota is far above it. */
const CONCURRENCY = 4;

export const { handler, task } = defineTask({
  name: 'LabelScenes',
  input: z.object({ request: CreativeRequest, measured: listOf(MeasuredScene) }),
  output: z.object({ labels: listOf(SceneLabels) }),
  needs: { vision: visionPort, media: bucketNeed([{ prefix: 'uploads/', access: 'read' }]) },
  memoised: true,
  runPercent: [35, 42],
  async run({ request, measured }, { vision, media, progress }) {
    const { labelsKey } = request.sidecars;
    if (labelsKey !== undefined) {
      const file = await media.get(labelsKey);
      if (file === undefined)
        throw new InvalidInput(`There are no labels at ${labelsKey}.`, {
          path: 'request.sidecars.labelsKey',
        });
      const sidecar = parseLabelsSidecar(file.toString('utf8'));
      return {
        labels: { list: measured.list.map((scene) => ({ id: scene.id, ...labelsWithin(sidecar, scene) })) },
      };
    }
    // Off: missing, which is not the same as "nothing to be seen".
    if (vision === null)
      return { labels: { list: measured.list.map(({ id }) => ({ id, objects: null, texts: null })) } };
    const labels: z.input<typeof SceneLabels>[] = [];
    for (let first = 0; first < measured.list.length; first += CONCURRENCY) {
      const group = measured.list.slice(first, first + CONCURRENCY);
      labels.push(
        ...(await Promise.all(
          group.map(async ({ id, frameKey }) => ({
            id,
            ...(await vision.look({ bucket: media.name, key: frameKey })),
          })),
        )),
      );
      progress((100 * labels.length) / measured.list.length);
    }
    return { labels: { list: labels } };
  },
});
