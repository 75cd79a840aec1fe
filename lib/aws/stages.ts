// What differs between dev, staging and prod?

export const STAGES = ['dev', 'staging', 'prod'] as const;
export type Stage = (typeof STAGES)[number];

export interface StageConfig {
  /** Keep tables, buckets and keys when a stack is deleted. */
  retainData: boolean;
  logRetentionDays: 14 | 30 | 180;
  /**
   * An upload that no run has done with by then (failed, stopped, never started) is deleted. Longer than dead letters are kept
   * (14 days): until then a run may be started again.
   */
  uploadRetentionDays: number;
  /** RS256 issuer whose tokens the HTTP API accepts; from context `jwtIssuer`, or this default. */
  jwt: { issuer: string; audience: string };
  api: { burstPerSecond: number; ratePerSecond: number; allowedOrigins: readonly string[] };
  /** Where alarms and failures are mailed; none: subscribe to the topic by hand. */
  operationsEmail?: string;
  /** Values functions read from their environment (`{ config: … }` of a need). */
  functions: Readonly<Record<FunctionSetting, string>>;
  /** Numbers a state machine reads as `{% $number('${Name}') %}`. */
  workflows: Readonly<Record<string, number>>;
}

/** Each becomes the environment variable a need asks for. Vendor limits and versions live here, not in code. */
export type FunctionSetting =
  | 'metaBaseUrl'
  /** Versions in use: https://developers.facebook.com/docs/graph-api/changelog (v25.0 and v26.0 in 2026). */
  | 'metaApiVersion'
  | 'driveBaseUrl'
  /** none | bedrock | openai */
  | 'modelProvider'
  | 'modelBaseUrl'
  | 'modelName'
  /** none | rekognition */
  | 'visionProvider'
  /** none | transcribe | openai */
  | 'speechProvider'
  | 'speechBaseUrl'
  | 'speechModel'
  /** final | draft: encode preset of renditions. */
  | 'renderPreset';

const functions: StageConfig['functions'] = {
  metaBaseUrl: 'https://graph.facebook.com',
  metaApiVersion: 'v25.0',
  driveBaseUrl: 'https://www.googleapis.com',
  modelProvider: 'bedrock',
  modelBaseUrl: '',
  // Invocable on demand by its own id; most others need an inference profile of the region.
  modelName: 'amazon.nova-pro-v1:0',
  visionProvider: 'rekognition',
  speechProvider: 'transcribe',
  speechBaseUrl: '',
  speechModel: '',
  renderPreset: 'final',
};

const workflows: StageConfig['workflows'] = {
  RenderConcurrency: 4,
  ReviewTimeoutSeconds: 24 * 3600,
  TranscriptPollSeconds: 15,
  TranscriptPollLimit: 80,
  /** Variations rendered by one ffmpeg run. */
  RenderGroupSize: 3,
  VideoPollSeconds: 20,
  VideoPollLimit: 60,
};

const CONFIGS: Readonly<Record<Stage, StageConfig>> = {
  dev: {
    retainData: false,
    logRetentionDays: 14,
    uploadRetentionDays: 30,
    jwt: { issuer: 'https://issuer.invalid/dev', audience: 'impresario' },
    api: { burstPerSecond: 50, ratePerSecond: 25, allowedOrigins: [] },
    functions: { ...functions, renderPreset: 'draft' },
    workflows,
  },
  staging: {
    retainData: false,
    logRetentionDays: 30,
    uploadRetentionDays: 30,
    jwt: { issuer: 'https://issuer.invalid/staging', audience: 'impresario' },
    api: { burstPerSecond: 200, ratePerSecond: 100, allowedOrigins: [] },
    functions,
    workflows,
  },
  prod: {
    retainData: true,
    logRetentionDays: 180,
    uploadRetentionDays: 30,
    jwt: { issuer: 'https://issuer.invalid/prod', audience: 'impresario' },
    api: { burstPerSecond: 500, ratePerSecond: 200, allowedOrigins: [] },
    functions,
    workflows,
  },
};

/** What a deployment may set with `-c name=value` without editing this file. */
export interface StageOverrides {
  jwtIssuer?: string;
  jwtAudience?: string;
  operationsEmail?: string;
}

/** @throws Error naming the stages there are. */
export function stageConfig(
  stage: unknown,
  overrides: StageOverrides = {},
): { stage: Stage; config: StageConfig } {
  const known = STAGES.find((name) => name === stage);
  if (!known) {
    throw new Error(`Unknown stage ${JSON.stringify(stage)}: say -c stage=${STAGES.join('|')}.`);
  }
  const config = CONFIGS[known];
  const email = overrides.operationsEmail ?? config.operationsEmail;
  return {
    stage: known,
    config: {
      ...config,
      jwt: {
        issuer: overrides.jwtIssuer ?? config.jwt.issuer,
        audience: overrides.jwtAudience ?? config.jwt.audience,
      },
      ...(email ? { operationsEmail: email } : {}),
    },
  };
}
