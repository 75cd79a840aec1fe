// What is asked of an analysis, and what does it answer once it is there?
import * as z from 'zod';
import { InvalidInput, Unavailable } from '../runtime/errors.ts';
import { HttpProblem, notFound } from '../runtime/problem.ts';
import { RunId } from '../runtime/run-id.ts';
import type { Run, Runs } from '../runtime/runs.ts';
import type { Need } from '../runtime/need.ts';
import { NewCreative } from './new-creative.ts';
import { reportKeyOf, type Report } from './report.ts';
import { CreativeRequest, CreativeSource } from './request.ts';
import { BattlePlan, CtrPrediction, Forecast, RankedScene, SceneFeatures, Verdict } from './types.ts';

/** Polls of half a second: 22 s and the polls themselves, so that the answer is out before the 25 that were promised. */
const POLL_MS = 500;
const POLLS = 44;

export const AnalyzeBody = z
  .object({
    /** A run id, or the hash (SHA-256, hex) of a video that an earlier run kept. */
    videoId: z.union([RunId, z.string().regex(/^[0-9a-f]{64}$/)]).optional(),
    source: z.discriminatedUnion('kind', [CreativeSource.options[1], CreativeSource.options[2]]).optional(),
    /** May be left out with a run id: then it is that run's. */
    brief: NewCreative.shape.brief.optional(),
  })
  .refine(({ videoId, source }) => (videoId === undefined) !== (source === undefined), {
    message: 'Name either a videoId or a source.',
    path: ['videoId'],
  });
export type AnalyzeBody = z.infer<typeof AnalyzeBody>;

export const Analysis = z.object({
  runId: z.string(),
  scenes: z.array(SceneFeatures),
  ranking: z.array(RankedScene),
  predictions: z.array(CtrPrediction),
  plan: BattlePlan,
  forecast: z.array(Forecast),
  verdicts: z.array(Verdict),
});

export interface Patience {
  wait(ms: number): Promise<void>;
}

/** Real time inside a function. */
export const patienceNeed: Need<Patience> = {
  grants: [],
  env: {},
  open: () => ({
    wait: (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
      }),
  }),
};

/** @throws InvalidInput without a brief; HttpProblem 404 for an unknown run, 409 for an uploaded video without a report. */
export async function analysisRequest(
  tenant: string,
  body: AnalyzeBody,
  runs: Pick<Runs, 'get' | 'request'>,
): Promise<CreativeRequest> {
  const { videoId, source } = body;
  const earlier = videoId?.startsWith('run-') === true ? await earlierRun(tenant, videoId, runs) : undefined;
  const brief = body.brief ?? earlier?.request.brief;
  if (brief === undefined) throw new InvalidInput('An analysis needs a brief.', { path: 'brief' });
  const from =
    source ?? earlier?.source ?? ({ kind: 'known', sha256: videoId ?? '' } satisfies CreativeSource);
  return { purpose: 'analyze', source: from, brief, sidecars: earlier?.request.sidecars ?? {} };
}

async function earlierRun(
  tenant: string,
  runId: string,
  runs: Pick<Runs, 'get' | 'request'>,
): Promise<{ request: CreativeRequest; source: CreativeSource }> {
  const run = await runs.get(tenant, runId);
  if (run === undefined) throw notFound(`run ${runId}`);
  const request = CreativeRequest.parse(await runs.request(tenant, runId));
  const sha256 = /\/analysis\/([0-9a-f]{64})\//.exec(reportKeyOf(run) ?? '')?.[1];
  if (sha256 !== undefined) return { request, source: { kind: 'known', sha256 } };
  // The upload is that run's own: another run's end would take it away.
  if (request.source.kind === 'upload')
    throw new HttpProblem(409, `Run ${runId} has no report yet; its status is ${run.status}.`);
  return { request, source: request.source };
}

/**
 * The run as soon as it has ended, or undefined when it takes longer than a request may.
 * @throws Unavailable or HttpProblem 422 when it ended without a result.
 */
export async function analysed(
  run: Pick<Run, 'tenant' | 'runId'>,
  runs: Pick<Runs, 'get'>,
  patience: Patience,
): Promise<Run | undefined> {
  for (let poll = 0; ; poll += 1) {
    const now = await runs.get(run.tenant, run.runId);
    if (now?.status === 'succeeded') return now;
    if (now?.endedAt !== undefined) throw unsuccessful(now);
    if (poll === POLLS) return undefined;
    await patience.wait(POLL_MS);
  }
}

function unsuccessful({ runId, status, error }: Run): Error {
  const why = error === undefined ? `it was ${status}` : error.cause;
  if (error?.name === 'InvalidInput' || error?.name === 'Refused') return new HttpProblem(422, why);
  return new Unavailable(`The analysis ${runId} ended without a result: ${why}`);
}

export function analysisOf(runId: string, report: Report): z.input<typeof Analysis> {
  return {
    runId,
    scenes: report.features.list,
    ranking: report.ranked.list,
    predictions: report.predictions.list,
    plan: report.plan,
    forecast: report.forecasts.list,
    verdicts: report.verdicts.list,
  };
}
