// Which objects and which text are on each scene's middle frame?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { analysed } from './analysis.ts';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { visionPort } from '../ports/vision/vision-port.ts';
import { CreativeRequest } from './request.ts';
import { MeasuredScene, SceneLabels } from './scene-parts.ts';
import { labelsWithin, parseLabelsSidecar } from './media/labels.ts';
import { ownUpload } from './own-upload.ts';
import { listOf } from './types.ts';

/** Frames looked at side by side; the service's default quota is far above it. */
const CONCURRENCY = 4;

export const { handler, task } = defineTask({
  name: 'LabelScenes',
  input: z.object({ request: CreativeRequest, measured: listOf(MeasuredScene) }),
  output: z.object({ labels: listOf(SceneLabels) }),
  needs: {
    vision: visionPort,
    media: bucketNeed([
      { prefix: 'uploads/', access: 'read' },
      { prefix: 'analysis/', access: 'read' },
      { prefix: 'analysis/', access: 'write' },
    ]),
  },
  memoised: true,
  runPercent: [35, 42],
  async run({ request, measured }, { vision, media, run, progress }) {
    const { labelsKey } = request.sidecars;
    if (labelsKey !== undefined) {
      const file = await media.get(ownUpload(run.tenant, labelsKey, 'request.sidecars.labelsKey'));
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
    const [first] = measured.list;
    const sha256 = first === undefined ? undefined : /\/frames\/([0-9a-f]{64})\//.exec(first.frameKey)?.[1];
    if (sha256 === undefined)
      throw new InvalidInput('The scenes have no frames to look at.', { path: 'measured' });
    const wanted = { tenant: run.tenant, sha256, what: 'labels-v1', schema: listOf(SceneLabels) };
    const labels = await analysed(media, wanted, async () => {
      const list: SceneLabels[] = [];
      for (let from = 0; from < measured.list.length; from += CONCURRENCY) {
        const group = measured.list.slice(from, from + CONCURRENCY);
        list.push(
          ...(await Promise.all(
            group.map(async ({ id, frameKey }) => ({
              id,
              ...(await vision.look({ bucket: media.name, key: frameKey })),
            })),
          )),
        );
        progress((100 * list.length) / measured.list.length);
      }
      return { list };
    });
    return { labels };
  },
});
