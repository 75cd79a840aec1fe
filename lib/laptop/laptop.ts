// What must be there before a command can use a running Impresario, and how is it taken down?
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locateFfmpeg, type FfmpegLocation } from '../../lambdas/creative/media/ffmpeg.ts';
import { assemblyOfToday, makeAssembly, touchAssembly } from './assembly.ts';
import { rememberReasons } from './watch.ts';
import { isFree } from './doctor.ts';
import { seedRunningCampaign } from './running-campaign.ts';
import type { Screen } from './screen.ts';
import { storeKeys, vendorsFrom } from './vendors.ts';
import { DEMO_TENANT, startWorld, type World } from './world.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Everything a laptop keeps; git ignores it and it may be deleted at any time. */
export const CACHE_DIR = join(ROOT, '.impresario');
/** As a person types it, from the folder they are in. */
export const NO_FFMPEG =
  'ffmpeg was not found: videos can be neither made, analysed nor rendered. ' +
  'Install it (Debian and Ubuntu: apt-get install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg) ' +
  'or set FFMPEG_PATH to the program, and start again.';

export type FindFfmpeg = () => Promise<FfmpegLocation | null>;

/** What every command gets. */
export interface Surroundings {
  /** Results. */
  out: Screen;
  /** Everything else of a command whose standard output belongs to a program. */
  err: Screen;
  writeOut: (text: string) => void;
  env: Readonly<Record<string, string | undefined>>;
  cacheDir: string;
  findFfmpeg: FindFfmpeg;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
}

/** What a program wants to know from the exit code: 0 done, 1 did not work, 2 wrong usage, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface LaptopOptions {
  /** Simulated Rekognition and Transcribe. */
  perception: boolean;
  /** Ads that have been running in the sandbox's account for a month: something to change. */
  running: boolean;
  awsPort?: number;
  apiPort?: number;
}

export interface Laptop {
  world: World;
  /** State → why its last attempt failed. */
  reasons: ReadonlyMap<string, string>;
  ffmpeg: FfmpegLocation | null;
}

export function surroundings(given: Omit<Surroundings, 'cacheDir' | 'findFfmpeg'>): Surroundings {
  return { ...given, cacheDir: CACHE_DIR, findFfmpeg: () => locateFfmpeg(given.env) };
}

/** Synthesises (when the sources changed), starts, deploys, connects the demo tenant. @throws Error in a sentence */
export async function openLaptop(
  { screen, env, cacheDir, findFfmpeg, signal }: Surroundings & { screen: Screen },
  options: LaptopOptions,
): Promise<Laptop> {
  // Said before the synthesis, which takes seconds.
  await refuseBusy(options.awsPort, 'the AWS endpoint', '--aws-port');
  await refuseBusy(options.apiPort, 'the HTTP API', '--api-port');
  const ffmpeg = await findFfmpeg();
  const { directory, isCurrent } = assemblyOfToday(cacheDir);
  if (isCurrent) touchAssembly(directory);
  else {
    const step = screen.step('Synthesising the stacks');
    try {
      await makeAssembly(directory, signal);
      step.done();
    } catch (error) {
      step.fail();
      throw signal.aborted ? signal.reason : error;
    }
  }
  signal.throwIfAborted();
  const vendors = vendorsFrom(env);
  const reasons = new Map<string, string>();
  const step = screen.step('Starting the embedded cloud and deploying into it');
  let world: World;
  try {
    world = await startWorld({
      time: 'real',
      assembly: directory,
      ffmpeg,
      perception: options.perception,
      environment: vendors.environment,
      onLog: rememberReasons(reasons),
      ...(options.awsPort === undefined ? {} : { awsPort: options.awsPort }),
      ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
    });
  } catch (error) {
    step.fail();
    throw error;
  }
  try {
    await world.connect(DEMO_TENANT);
    if (options.running) seedRunningCampaign(world.sandbox.meta);
    await storeKeys(world, vendors);
  } catch (error) {
    step.fail();
    await world.close();
    throw error;
  }
  step.done(isCurrent ? 'stacks unchanged' : '');
  return { world, ffmpeg, reasons };
}

async function refuseBusy(port: number | undefined, what: string, option: string): Promise<void> {
  if (port === undefined || port === 0 || (await isFree(port))) return;
  throw new Error(
    `Port ${port} for ${what} is already in use. Stop what uses it, or choose another with ${option}.`,
  );
}

const QUIET_MS = 200;
const LONGEST_AFTERMATH_MS = 10_000;

/**
 * Lets what follows the end of an execution happen (its row is closed, its dead letter written), then takes everything
 * down. Interrupted: takes it down at once.
 */
export async function closeLaptop(world: World, signal: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  let quietSince = startedAt;
  while (!signal.aborted && Date.now() - startedAt < LONGEST_AFTERMATH_MS) {
    if (world.cloud.clock.busy().length > 0) quietSince = Date.now();
    else if (Date.now() - quietSince >= QUIET_MS) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await world.close();
}
