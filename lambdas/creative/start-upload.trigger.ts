// Has a video arrived that a run waits for?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { busNeed } from '../runtime/bus.ts';
import { defineTrigger } from '../runtime/define-trigger.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import type { RunStatus } from '../runtime/runs.ts';
import { CreativeRequest } from './request.ts';
import { CREATIVE_GENERATION, launchRun, startNeeds } from './start-run.ts';

const KEY = /^uploads\/([a-z0-9-]+)\/(run-[0-9a-z]{26})$/;
/** No attempt of these will read the upload again. */
const OVER: readonly RunStatus[] = ['succeeded', 'rejected', 'expired'];

export const { handler, trigger } = defineTrigger({
  name: 'StartUpload',
  source: {
    kind: 'rule',
    bus: 'default',
    pattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: ['${bucket}'] }, object: { key: [{ wildcard: 'uploads/*/run-*' }] } },
    },
  },
  needs: {
    machine: startNeeds.machine,
    runs: runsNeed('write'),
    media: bucketNeed([{ prefix: 'uploads/', access: 'delete' }]),
    bus: busNeed,
  },
  event: z.object({
    detail: z.object({ object: z.object({ key: z.string(), size: z.number().int().min(0) }) }),
  }),
  async run({ detail: { object } }, { machine, runs, media, bus, clock, log }) {
    const [, tenant, runId] = KEY.exec(object.key) ?? [];
    if (tenant === undefined || runId === undefined) {
      log.warn('an object that is no upload', { key: object.key });
      return;
    }
    // The row is the tenant's of the key, so no upload can start another tenant's run.
    const run = await runs.get(tenant, runId);
    if (run === undefined || OVER.includes(run.status)) {
      log.warn('nobody waits for this upload', { runId, status: run?.status ?? 'unknown' });
      await media.delete(object.key);
      return;
    }
    const request = CreativeRequest.parse(await runs.request(tenant, runId));
    const announced = request.source.kind === 'upload' ? request.source.announced : undefined;
    if (announced === undefined)
      throw new InvalidInput(`The run ${runId} waits for no upload.`, { path: 'detail.object.key' });

    if (run.status === 'awaiting-upload' && object.size !== announced.sizeBytes) {
      const cause = `The upload has ${object.size} bytes, but ${announced.sizeBytes} were announced. Ask for a new upload address and send the whole file.`;
      await media.delete(object.key);
      await bus.publish([
        { name: 'creative-generation.failed', detail: { tenant, runId, error: 'InvalidInput', cause } },
      ]);
      const error = { name: 'InvalidInput', cause };
      if (await runs.close(tenant, runId, { status: 'failed', error, nowMs: clock.now() }))
        emitMetric('workflow_executions_total', 1, { workflow: CREATIVE_GENERATION, status: 'failed' });
      return;
    }
    if (run.status === 'awaiting-upload') await runs.setStatus(tenant, runId, 'running', clock.now());
    // A delivery that died between these two lines comes again and starts the execution then.
    const launched = await launchRun(
      { ...run, status: run.status === 'awaiting-upload' ? 'running' : run.status },
      request,
      machine,
    );
    log.info(launched ? 'run started' : 'run was started before', { runId });
  },
});
