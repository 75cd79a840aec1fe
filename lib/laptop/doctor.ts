// Which optional parts are present on this machine, and what does each missing one turn off?
import { createServer } from 'node:net';
import type { FfmpegLocation } from '../../lambdas/creative/media/ffmpeg.ts';
import type { Paint } from './screen.ts';
import { vendorsFrom } from './vendors.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface Finding {
  part: string;
  present: boolean;
  /** Never a value of a credential. */
  detail: string;
  /** What does not work without it; empty when nothing is lost. */
  turnsOff: string;
}

export interface DoctorOptions {
  env: Env;
  findFfmpeg: () => Promise<FfmpegLocation | null>;
  awsPort?: number;
  apiPort?: number;
}

const MEDIA_FEATURES =
  'the sample video, scene detection, features and rendering: creative-generation stops at CheckVideo';

/** Looks, changes nothing, and contacts nobody. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { env } = options;
  const vendors = vendorsFrom(env);
  const has = (...names: string[]): boolean => names.some((name) => (env[name] ?? '') !== '');
  return [
    { part: 'node', present: true, detail: process.versions.node, turnsOff: '' },
    await ffmpegFinding(options.findFfmpeg),
    {
      part: 'model',
      present: vendors.model,
      detail: vendors.model
        ? `OpenAI-compatible endpoint ${hostOf(env['MODEL_BASE_URL'])}${has('MODEL_API_KEY') ? ', key set' : ', no key'}`
        : 'MODEL_BASE_URL and MODEL_NAME are not set',
      turnsOff: 'plans and verdicts of a language model: the deterministic writer and rubric judges answer',
    },
    {
      part: 'speech',
      present: vendors.speech,
      detail: vendors.speech
        ? `OpenAI-compatible endpoint ${hostOf(env['SPEECH_BASE_URL'])}${has('SPEECH_API_KEY') ? ', key set' : ', no key'}`
        : 'SPEECH_BASE_URL is not set',
      turnsOff: 'transcripts of your own videos without a .vtt beside them: words are marked missing',
    },
    {
      part: 'aws credentials',
      present: has('AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE'),
      detail: has('AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE')
        ? 'set in the environment'
        : 'neither AWS_PROFILE nor AWS_ACCESS_KEY_ID is set',
      turnsOff:
        'npx cdk deploy (unless your AWS configuration has a default profile); nothing on this machine',
    },
    {
      part: 'meta credentials',
      present: false,
      detail: 'a laptop talks to the sandbox; in AWS: secret impresario/tenants/<tenant>/meta',
      turnsOff: 'ads in a real account: everything is created in the sandbox account',
    },
    {
      part: 'drive credentials',
      present: false,
      detail: 'a laptop talks to the sandbox; in AWS: secret impresario/tenants/<tenant>/drive',
      turnsOff: 'files of a real Drive: the sandbox holds the sample files',
    },
    await portFinding('aws port', options.awsPort, '--aws-port'),
    await portFinding('api port', options.apiPort, '--api-port'),
  ];
}

async function ffmpegFinding(findFfmpeg: DoctorOptions['findFfmpeg']): Promise<Finding> {
  const missing = { part: 'ffmpeg', present: false, turnsOff: MEDIA_FEATURES };
  try {
    const found = await findFfmpeg();
    if (found === null)
      return {
        ...missing,
        detail: 'not found: apt-get install ffmpeg, brew install ffmpeg, or set FFMPEG_PATH',
      };
    const from = { FFMPEG_PATH: 'from FFMPEG_PATH', PATH: 'on PATH', layer: 'layer', package: 'npm package' };
    return {
      part: 'ffmpeg',
      present: true,
      detail: `${found.version}, ${from[found.source]}: ${found.path}`,
      turnsOff: '',
    };
  } catch (error) {
    return { ...missing, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function portFinding(part: string, port: number | undefined, option: string): Promise<Finding> {
  if (port === undefined)
    return { part, present: true, detail: `any free one on 127.0.0.1 (choose with ${option})`, turnsOff: '' };
  const free = await isFree(port);
  return {
    part,
    present: free,
    detail: free ? `${port} is free` : `${port} is in use`,
    turnsOff: free ? '' : `serving there: choose another with ${option}`,
  };
}

/** Nobody listens there on loopback. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function hostOf(url: string | undefined): string {
  return URL.canParse(url ?? '') ? new URL(url ?? '').host : '(not a URL)';
}

export function doctorLines(findings: readonly Finding[], paint: Paint): string[] {
  const width = Math.max(...findings.map(({ part }) => part.length));
  return findings.flatMap(({ part, present, detail, turnsOff }) => [
    `${present ? paint.good('✓') : paint.warn('–')} ${part.padEnd(width)}  ${detail}`,
    ...(present || turnsOff === ''
      ? []
      : [`  ${' '.repeat(width)}  ${paint.dim(`without it: ${turnsOff}`)}`]),
  ]);
}
