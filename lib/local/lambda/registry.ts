// Which functions are deployed, and how are they configured?
import { ACCOUNT, AwsError, REGION, type Json } from '../types.ts';
import type { Scope } from './isolation.ts';

/** A deployed function. */
export interface FunctionRecord {
  name: string;
  arn: string;
  roleArn: string;
  /** `file.export` */
  handler: string;
  /** Folder with the bundled code. */
  codeDir: string;
  layerDirs: string[];
  timeoutSeconds: number;
  memoryMb: number;
  /** As deployed, without what Lambda adds. */
  environment: Record<string, string>;
  scope: Scope;
  architectures: string[];
  layers: string[];
  deadLetterArn: string | undefined;
  reservedConcurrency: number | undefined;
  asynchronous: AsynchronousConfig;
  policy: Json[];
  lastModifiedMs: number;
  active: number;
}

/** EventInvokeConfig. */
export interface AsynchronousConfig {
  maximumRetryAttempts: number;
  maximumEventAgeSeconds: number;
  onFailureArn: string | undefined;
  onSuccessArn: string | undefined;
}

export const DEFAULT_ASYNCHRONOUS: AsynchronousConfig = {
  maximumRetryAttempts: 2,
  maximumEventAgeSeconds: 21_600,
  onFailureArn: undefined,
  onSuccessArn: undefined,
};

export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

/** The bare name in a name, a partial or a full ARN, with or without qualifier. */
export function functionName(reference: unknown): string {
  const text = String(reference);
  const name = /function:([^:]+)/.exec(text)?.[1] ?? text.split(':')[0];
  if (name === undefined || name === '')
    throw new AwsError('ValidationException', `Invalid function name ${text}`);
  return name;
}

/** What Lambda sets besides the function's own variables; nothing of the host is visible but PATH and TMPDIR. */
export function environmentOf(
  record: Pick<FunctionRecord, 'name' | 'handler' | 'codeDir' | 'layerDirs' | 'memoryMb' | 'environment'>,
  endpointUrl: string | undefined,
  overrides: Readonly<Record<string, string>>,
): Record<string, string> {
  const path = [...record.layerDirs.map((dir) => `${dir}/bin`), process.env.PATH ?? ''].join(':');
  return {
    PATH: path,
    TMPDIR: process.env.TMPDIR ?? '/tmp',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    // The developer's own AWS configuration is no part of a function.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: record.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(record.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    // Invocations of one function share an instance here, as on Lambda managed instances.
    AWS_LAMBDA_MAX_CONCURRENCY: '1000',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${record.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    LAMBDA_TASK_ROOT: record.codeDir,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    _HANDLER: record.handler,
    ...record.environment,
    ...(endpointUrl === undefined ? {} : { AWS_ENDPOINT_URL: endpointUrl }),
    ...overrides,
  };
}

/** The function from the input of CreateFunction (`codeDir` and `layerDirs` stand for Code and the layers' content). */
export function toRecord(input: Json, nowMs: number): FunctionRecord {
  for (const field of ['FunctionName', 'Handler', 'codeDir', 'Role']) {
    if (typeof input[field] !== 'string') throw new AwsError('ValidationException', `${field} is required`);
  }
  const timeoutSeconds = Number(input.Timeout ?? 3);
  if (!(timeoutSeconds >= 1 && timeoutSeconds <= 900)) {
    throw new AwsError('ValidationException', `Timeout must be 1 to 900 seconds, not ${input.Timeout}`);
  }
  const record = {
    name: String(input.FunctionName),
    arn: functionArn(input.FunctionName),
    roleArn: String(input.Role),
    handler: String(input.Handler),
    codeDir: String(input.codeDir),
    layerDirs: [...(input.layerDirs ?? [])].map(String),
    timeoutSeconds,
    memoryMb: Number(input.MemorySize ?? 128),
    environment: { ...input.Environment?.Variables },
    scope: { env: {} },
    architectures: input.Architectures ?? ['x86_64'],
    layers: [...(input.Layers ?? [])].map(String),
    deadLetterArn: input.DeadLetterConfig?.TargetArn,
    reservedConcurrency: input.ReservedConcurrentExecutions,
    asynchronous: DEFAULT_ASYNCHRONOUS,
    policy: [],
    lastModifiedMs: nowMs,
    active: 0,
  };
  return record;
}

/** As GetFunctionConfiguration answers. */
export function configurationOf(record: FunctionRecord): Json {
  return {
    FunctionName: record.name,
    FunctionArn: record.arn,
    Runtime: 'nodejs24.x',
    Role: record.roleArn,
    Handler: record.handler,
    Timeout: record.timeoutSeconds,
    MemorySize: record.memoryMb,
    LastModified: new Date(record.lastModifiedMs).toISOString(),
    Version: '$LATEST',
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    Architectures: record.architectures,
    Layers: record.layers.map((arn) => ({ Arn: arn })),
    Environment: { Variables: record.environment },
    ...(record.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: record.deadLetterArn } }),
  };
}
