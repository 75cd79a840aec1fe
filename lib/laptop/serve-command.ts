// `serve`: how does Impresario answer on this machine until it is interrupted?
import { DRIVE_FILES, isSampleMade, registerDriveFile } from './sample.ts';
import { NO_FFMPEG, openLaptop, type ExitCode, type Laptop, type Surroundings } from './laptop.ts';
import { announce } from './serving.ts';
import type { Screen } from './screen.ts';
import { DEMO_TENANT, type World } from './world.ts';

export interface ServeOptions {
  json: boolean;
  awsPort?: number;
  apiPort?: number;
}

export async function serveCommand(context: Surroundings, options: ServeOptions): Promise<ExitCode> {
  const screen = options.json ? context.err : context.out;
  const laptop = await openLaptop(
    { ...context, screen },
    {
      perception: false,
      running: true,
      ...(options.awsPort === undefined ? {} : { awsPort: options.awsPort }),
      ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
    },
  );
  const withdraw = await announce(laptop.world, context.cacheDir);
  try {
    await offerSamples(context, screen, laptop);
    if (options.json) {
      const { endpoint, apiUrl } = laptop.world.cloud;
      context.writeOut(`${JSON.stringify({ apiUrl, awsEndpoint: endpoint, pid: process.pid })}\n`);
    }
    for (const line of addressLines(laptop.world, screen)) screen.line(line);
    await interrupted(context.signal);
    screen.line('Stopping …');
    return 0;
  } finally {
    await withdraw();
    await laptop.world.close();
  }
}

/** Puts the files that events/ names into the sandbox's Drive. */
async function offerSamples(context: Surroundings, screen: Screen, { world, ffmpeg }: Laptop): Promise<void> {
  const { cacheDir, signal } = context;
  const options = { cacheDir, signal, ffmpegPath: ffmpeg?.path ?? '' };
  await registerDriveFile(world, DRIVE_FILES.notAVideo, options);
  if (ffmpeg === null) {
    screen.line(screen.paint.warn(NO_FFMPEG));
    return;
  }
  const step = isSampleMade(cacheDir) ? undefined : screen.step('Making the sample video');
  const withProgress = { ...options, onProgress: (share: number) => step?.progress(share) };
  try {
    await registerDriveFile(world, DRIVE_FILES.video, withProgress);
    await registerDriveFile(world, DRIVE_FILES.silent, withProgress);
    step?.done();
  } catch (error) {
    step?.fail();
    throw signal.aborted ? signal.reason : error;
  }
}

/** Where everything answers, and one example for each way in. */
export function addressLines({ cloud }: World, { paint }: Screen): string[] {
  const curl = `curl -H "authorization: Bearer $(npm run --silent local -- token --tenant ${DEMO_TENANT} --role admin)"`;
  return [
    '',
    paint.bold('Serving on this machine only (Ctrl-C stops it)'),
    `  API           ${cloud.apiUrl}`,
    `  AWS endpoint  ${cloud.endpoint}  (any credentials, region us-east-1)`,
    '',
    '  Try, from another terminal in this folder:',
    `    ${curl} ${cloud.apiUrl}/v1/executions`,
    `    aws --endpoint-url ${cloud.endpoint} --region us-east-1 stepfunctions list-state-machines`,
  ];
}

export function interrupted(signal: AbortSignal): Promise<void> {
  // A timer keeps the process alive while nothing happens.
  const alive = setInterval(() => undefined, 60_000);
  return new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  }).finally(() => clearInterval(alive));
}

/** How the launch that waits is approved, and how what becomes of it is seen. */
export function approvalLines({ cloud }: World, changeId: string, { paint }: Screen): string[] {
  return [
    '',
    paint.bold('Approve the launch'),
    '  TOKEN=$(npm run --silent local -- token --tenant demo --role approver)',
    `  curl -X POST -H "Authorization: Bearer $TOKEN" -H 'content-type: application/json' \\`,
    `    -d '{"scope":"origin","comment":"Looks good."}' ${cloud.apiUrl}/v1/changes/${changeId}/approve`,
    `  curl -H "Authorization: Bearer $TOKEN" ${cloud.apiUrl}/v1/changes/${changeId}`,
  ];
}
