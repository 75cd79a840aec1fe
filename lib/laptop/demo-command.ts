// `demo`: how does a video become a paused campaign while a person watches?
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type * as z from 'zod';
import { uploadsOf } from '../../lambdas/creative/own-upload.ts';
import type { CreativeRequest } from '../../lambdas/creative/request.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { openRuns } from '../../lambdas/runtime/runs.ts';
import { beside, briefFor, SAMPLE_BRIEF } from './brief.ts';
import { doctorLines, examine } from './doctor.ts';
import { runExecution, type ExecutionResult } from './execution.ts';
import {
  closeLaptop,
  NO_FFMPEG,
  openLaptop,
  type ExitCode,
  type Laptop,
  type Surroundings,
} from './laptop.ts';
import { MEDIA_BUCKET, showOutcome } from './outcome.ts';
import { tellQuestion } from './review.ts';
import { DRIVE_FILES, isSampleMade, registerDriveFile } from './sample.ts';
import { duration, type Screen } from './screen.ts';
import { addressLines, approvalLines, interrupted } from './serve-command.ts';
import { announce } from './serving.ts';
import { DEMO_TENANT, type World } from './world.ts';

export interface DemoOptions {
  /** The user's own; the sample when absent. */
  videoPath?: string;
  briefPath?: string;
  /** Stop after the summary instead of serving. */
  exit: boolean;
  awsPort?: number;
  apiPort?: number;
}

type Request = z.input<typeof CreativeRequest>;

const MACHINE = 'creative-generation';
const OWN_VIDEO_ID = 'your-video';

export async function demoCommand(context: Surroundings, options: DemoOptions): Promise<ExitCode> {
  const { out: screen, signal, cacheDir } = context;
  if (options.videoPath !== undefined) checkFile(options.videoPath);
  const own = options.videoPath === undefined ? undefined : briefFor(options.videoPath, options.briefPath);
  const laptop = await openLaptop(
    { ...context, screen },
    {
      perception: options.videoPath === undefined,
      running: false,
      ...(options.awsPort === undefined ? {} : { awsPort: options.awsPort }),
      ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
    },
  );
  const { world, ffmpeg } = laptop;
  const withdraw = await announce(world, cacheDir);
  /** One of the changes that bring the launch to life; approving it with its origin approves them all. */
  let launched: string | undefined;
  try {
    if (ffmpeg === null) {
      screen.line(screen.paint.warn(NO_FFMPEG));
      screen.line('Everything else is shown.');
      screen.line();
      for (const line of doctorLines(await examine({ ...context }), screen.paint)) screen.line(line);
    } else {
      const runId = newRunId(world.cloud.clock.now());
      const source = { cacheDir, signal, ffmpegPath: ffmpeg.path };
      let request: Request;
      if (own === undefined || options.videoPath === undefined) {
        await prepareSample(screen, world, source);
        request = { source: { kind: 'drive', fileId: DRIVE_FILES.video }, brief: SAMPLE_BRIEF };
      } else {
        request = await prepareOwn(screen, world, options.videoPath, own, runId);
      }
      const result = await generate(context, laptop, runId, request, options.exit);
      if (result.status !== 'SUCCEEDED') {
        screen.line();
        screen.line(screen.paint.bad(result.error?.cause ?? result.status));
        return 1;
      }
      const { outcome, goLive } = result.output as {
        outcome: string;
        goLive: { changeIds: readonly string[] } | null;
      };
      launched = goLive?.changeIds[0];
      if (outcome !== 'published') {
        screen.line();
        screen.line(screen.paint.warn('The plan was rejected: nothing was rendered and nothing published.'));
        return 1;
      }
      const rendersDir = join(cacheDir, 'renders');
      await showOutcome(world, screen, { id: runId, tenant: DEMO_TENANT, output: result.output, rendersDir });
    }
    if (options.exit) return 0;
    for (const line of addressLines(world, screen)) screen.line(line);
    if (launched !== undefined) for (const line of approvalLines(world, launched, screen)) screen.line(line);
    await interrupted(signal);
    screen.line('Stopping …');
    return 0;
  } finally {
    await withdraw();
    await closeLaptop(world, signal);
  }
}

async function prepareSample(
  screen: Screen,
  world: World,
  source: Parameters<typeof registerDriveFile>[2],
): Promise<void> {
  const step = isSampleMade(source.cacheDir)
    ? undefined
    : screen.step('Making the sample video (30 s, 720p, seven scenes)');
  try {
    await registerDriveFile(world, DRIVE_FILES.video, {
      ...source,
      onProgress: (share) => step?.progress(share),
    });
    step?.done();
  } catch (error) {
    step?.fail();
    throw source.signal?.aborted === true ? source.signal.reason : error;
  }
}

async function prepareOwn(
  screen: Screen,
  world: World,
  videoPath: string,
  { brief, path: briefPath }: ReturnType<typeof briefFor>,
  runId: string,
): Promise<Request> {
  await world.sandbox.drive.addFile(OWN_VIDEO_ID, resolve(videoPath), { name: basename(videoPath) });
  screen.line(`Your video  ${videoPath}`);
  screen.line(
    briefPath === undefined
      ? `Your brief  none: a neutral one is used (write ${beside(videoPath, '.brief.json')} or say --brief FILE)`
      : `Your brief  ${briefPath}`,
  );
  const sidecars: Record<string, string> = {};
  for (const [name, ending, contentType] of [
    ['captions', '.vtt', 'text/vtt'],
    ['labels', '.labels.json', 'application/json'],
  ] as const) {
    const path = beside(videoPath, ending);
    if (!existsSync(path)) continue;
    const key = `${uploadsOf(DEMO_TENANT)}${name}-${runId}${ending}`;
    await world.cloud.call('s3', 'PutObject', {
      Bucket: MEDIA_BUCKET,
      Key: key,
      Body: readFileSync(path),
      ContentType: contentType,
    });
    sidecars[`${name}Key`] = key;
    screen.line(`${name === 'captions' ? 'Captions  ' : 'Labels    '}  ${path}`);
  }
  return { source: { kind: 'drive', fileId: OWN_VIDEO_ID }, brief, sidecars };
}

async function generate(
  { out: screen, signal }: Surroundings,
  { world, reasons }: Laptop,
  runId: string,
  request: Request,
  exit: boolean,
): Promise<ExecutionResult> {
  const runs = openRuns(world.table('runs'), {
    getJson: () => Promise.reject(new Error('A laptop request is small.')),
    putJson: () => Promise.reject(new Error('A laptop request is small.')),
  });
  await runs.open({
    tenant: DEMO_TENANT,
    runId,
    stateMachine: MACHINE,
    request,
    startedBy: 'laptop',
    nowMs: world.cloud.clock.now(),
  });
  screen.line();
  screen.line(screen.paint.bold(`${MACHINE} ${runId}`));
  const startedAt = Date.now();
  const result = await runExecution(world, screen, {
    stateMachine: MACHINE,
    name: runId,
    input: { run: { id: runId, tenant: DEMO_TENANT, attempt: 1 }, request },
    whenAsked: exit ? 'stop' : 'wait',
    reasons,
    signal,
    onAsked: (stateName) =>
      tellQuestion(world, screen, {
        tenant: DEMO_TENANT,
        runId,
        stateName,
        otherwise: exit
          ? 'With --exit nobody waits for the answer, so the run is stopped. Start again without --exit to give one.'
          : 'Waiting for the answer …',
      }),
  });
  const took = duration(Date.now() - startedAt);
  screen.line(
    result.status === 'SUCCEEDED'
      ? `${screen.paint.good('SUCCEEDED')} in ${took}`
      : `${screen.paint.bad(result.status)} after ${took}`,
  );
  return result;
}

/** @throws Error in a sentence. */
function checkFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`There is no file ${path}.`);
  if (!found.isFile()) throw new Error(`${path} is not a file.`);
}
