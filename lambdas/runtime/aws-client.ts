// How is an AWS client made, once per function, with limits on how long it waits?
import type { Env } from './need.ts';

/** Services we talk to, as AWS_ENDPOINT_URL_<SERVICE> spells them. */
export type AwsService =
  | 'DYNAMODB'
  | 'S3'
  | 'SQS'
  | 'EVENTBRIDGE'
  | 'SFN'
  | 'SECRETS_MANAGER'
  | 'LAMBDA'
  | 'SCHEDULER'
  | 'REKOGNITION'
  | 'TRANSCRIBE'
  | 'BEDROCK_RUNTIME';

export interface AwsClientConfig {
  region?: string;
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** One retry inside the client; further ones belong to the state machine, where they are visible. */
  maxAttempts: number;
  requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    socketTimeout: number;
    throwOnRequestTimeout: boolean;
  };
}

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 8_000;
const SILENCE_MS = 20_000;

const made = new WeakMap<Env, Map<string, unknown>>();

/** The same client for the same environment object and key: needs share connections. */
export function sharedClient<T>(env: Env, key: string, make: () => T): T {
  const clients = made.get(env) ?? new Map<string, unknown>();
  made.set(env, clients);
  const existing = clients.get(key);
  if (existing !== undefined) return existing as T;
  const client = make();
  clients.set(key, client);
  return client;
}

/**
 * Read from the environment that was passed, not from `process.env`, so that two functions or two tests in one process
 * keep apart. Lambda sets region and credentials; AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> are honoured as the SDK does.
 * `requestTimeoutMs: 0` is for transfers: then only silence on the socket ends a request.
 */
export function awsClientConfig(
  env: Env,
  service: AwsService,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): AwsClientConfig {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env['AWS_ENDPOINT_URL'];
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined || endpoint === '' ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      socketTimeout: Math.max(SILENCE_MS, requestTimeoutMs),
      throwOnRequestTimeout: true,
    },
  };
}
