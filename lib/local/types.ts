// What do the embedded cloud's engines share?

// oxlint-disable-next-line typescript/no-explicit-any -- service payloads are checked by each engine, not by types
export type Json = any;

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** An error as AWS answers it. `code` is the short name (`ConditionalCheckFailedException`). */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the error body (`CancellationReasons`, `Item`). */
  readonly fields: Record<string, unknown>;

  constructor(code: string, message: string, status = 400, fields: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** Who calls. Outside clients are administrators; functions, machines, rules and schedules are their roles. */
export type Principal =
  | { kind: 'administrator' }
  | { kind: 'role'; roleArn: string }
  /** An AWS service acting by resource policy (events.amazonaws.com → SQS, apigateway → Lambda). */
  | { kind: 'service'; service: string; sourceArn: string };

export interface CallContext {
  principal: Principal;
  /** Set when the call comes from inside a Lambda invocation. */
  invocationId?: string;
}

/** What a call needs permission for. */
export interface AccessRequest {
  action: string;
  resource: string;
  /** Condition keys our templates use (`events:source`, `aws:SourceArn`, …). */
  conditions?: Record<string, string>;
}

export type CloudService =
  | 'dynamodb'
  | 'sqs'
  | 's3'
  | 'events'
  | 'scheduler'
  | 'lambda'
  | 'states'
  | 'secretsmanager'
  | 'ssm'
  | 'sns';

/**
 * One AWS service. Inputs and outputs have the shapes of the service's JSON protocol (DynamoDB attribute values,
 * epoch seconds for timestamps, strings for blobs); S3 bodies and Lambda payloads are Buffers.
 */
export interface Engine {
  readonly service: CloudService;
  /** Permissions a call needs; evaluated before `call`. Return [] only for calls AWS leaves open. */
  authorization(operation: string, input: Json): AccessRequest[];
  /** @throws AwsError as the service would answer; `UnknownOperationException` for what is not supported. */
  call(operation: string, input: Json, context: CallContext): Promise<Json>;
}

/** The one way an engine reaches another: permissions and faults are applied on the way. */
export type CloudCall = (
  context: CallContext,
  service: CloudService,
  operation: string,
  input: Json,
) => Promise<Json>;

export interface Timer {
  cancel(): void;
}

/** Time inside the cloud. Under virtual time it jumps to the next due moment only when nothing is at work. */
export interface CloudClock {
  now(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** `idle: true` timers (recurring schedules, sweeps, visibility of empty queues) never make the clock jump on their own in `settle()`. */
  at(timeMs: number, run: () => void, options?: { idle?: boolean }): Timer;
  /** Marks work in progress; the clock does not jump until the returned function was called. */
  work(what: string): () => void;
}

export interface EngineContext {
  clock: CloudClock;
  call: CloudCall;
  /** Random source for ids and jitter; seeded in tests. Returns [0, 1). */
  random: () => number;
}
