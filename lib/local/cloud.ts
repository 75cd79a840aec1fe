// Which engines make up the embedded cloud, and how do calls reach them?
import type { RequestListener } from 'node:http';
import { createClock } from './clock.ts';
import type { LocalClock } from './clock.ts';
import { readAssembly } from './deploy/assembly.ts';
import type { Assembly } from './deploy/assembly.ts';
import { deployAssembly } from './deploy/deploy.ts';
import type { DeployOptions } from './deploy/template.ts';
import { emptyDeployed } from './deploy/resource.ts';
import type { Alarm } from './deploy/resource.ts';
import { createDynamo } from './dynamodb/dynamo.ts';
import type { DynamoEngine } from './dynamodb/dynamo.ts';
import { createEvents } from './events/events.ts';
import type { EventsEngine } from './events/events.ts';
import { createFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import type { JwtConfiguration } from './http-api/jwt.ts';
import { createHttpApi } from './http-api/server.ts';
import { createIam } from './iam.ts';
import type { Iam } from './iam.ts';
import { createLambda } from './lambda/lambda.ts';
import type { LambdaEngine } from './lambda/lambda.ts';
import { listen } from './listen.ts';
import { createParameters } from './parameters.ts';
import { createS3 } from './s3/s3.ts';
import type { S3Engine } from './s3/s3.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import type { SchedulerEngine } from './scheduler/scheduler.ts';
import { createSecrets } from './secrets.ts';
import { createSqs } from './sqs/sqs.ts';
import type { SqsEngine } from './sqs/sqs.ts';
import { createStates } from './states/engine.ts';
import type { StatesEngine } from './states/engine.ts';
import { createTopics } from './topics.ts';
import type { TopicsEngine } from './topics.ts';
import { AwsError } from './types.ts';
import type { CallContext, CloudCall, CloudService, Engine, EngineContext, Json } from './types.ts';
import { createWire } from './wire/server.ts';

export interface CloudOptions {
  /** Virtual time moves only in `settle`, `until` and `advance`. */
  time: 'virtual' | 'real';
  /** Epoch milliseconds; default the machine's time. */
  startAt?: number;
  /** Makes ids and jitter the same in every run. */
  seed?: number;
  /** Loopback ports; 0 or absent: any free one. */
  awsPort?: number;
  apiPort?: number;
  /** Variables that win over every function's own (vendor addresses of the sandbox). */
  functionEnvironment?: Readonly<Record<string, string>>;
  /** Replaces the issuer and audience of the templates' JWT authorizers. */
  jwt?: { issuer: string; audience: string };
  /** Where object bodies are kept; default a temporary directory that `close` removes. */
  objectDir?: string;
  /** Sees every line a function writes. */
  onLog?: (functionName: string, line: string) => void;
}

export interface Cloud {
  readonly clock: LocalClock;
  readonly iam: Iam;
  readonly faults: Faults;
  readonly dynamo: DynamoEngine;
  readonly sqs: SqsEngine;
  readonly s3: S3Engine;
  readonly events: EventsEngine;
  readonly scheduler: SchedulerEngine;
  readonly lambda: LambdaEngine;
  readonly states: StatesEngine;
  readonly topics: TopicsEngine;
  /** Where AWS clients connect. */
  readonly endpoint: string;
  /** Where the HTTP API answers once it is deployed; 404 before. */
  readonly apiUrl: string;
  /** As the account's administrator. @throws AwsError */
  call(service: CloudService, operation: string, input?: Json): Promise<Json>;
  /** Deploys a synthesised `cdk.out` directory, or templates (`plainTemplates`). @throws Error naming the resource */
  deploy(assembly: string | Assembly, options?: DeployOptions): Promise<void>;
  /** Stack name → output key → value. */
  outputs(): ReadonlyMap<string, Record<string, Json>>;
  settle: LocalClock['settle'];
  until: LocalClock['until'];
  advance: LocalClock['advance'];
  /** Metric values the functions wrote (embedded metric format). */
  metrics: LambdaEngine['metrics'];
  logs: LambdaEngine['logs'];
  alarms(): readonly Alarm[];
  usedGrants: Iam['usedGrants'];
  grantedPairs: Iam['grantedPairs'];
  onTransition: StatesEngine['onTransition'];
  close(): Promise<void>;
}

/** Mulberry32: small, fast, good enough for ids and jitter. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const isOwnEvents = (input: Json): boolean =>
  input.Entries.every(
    ({ Source, EventBusName = 'default' }: Json) => EventBusName === 'default' && Source.startsWith('aws.'),
  );

const notDeployed: RequestListener = (_request, response) => {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"message":"Not Found"}');
};

/**
 * Starts an empty cloud; `close` it when done.
 * @throws Error naming the port when one is taken.
 */
export async function createCloud(options: CloudOptions): Promise<Cloud> {
  const clock = createClock({
    mode: options.time,
    ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
  });
  const iam = createIam();
  const faults = createFaults();
  const random = options.seed === undefined ? Math.random : seededRandom(options.seed);

  const engines = new Map<CloudService, Engine>();
  const call: CloudCall = async (caller, service, operation, input) => {
    const engine = engines.get(service);
    if (engine === undefined) throw new Error(`The embedded cloud has no service ${service}`);
    authorize(caller, engine, operation, input);
    try {
      return await faults.around(caller, service, operation, input, () =>
        engine.call(operation, input, caller),
      );
    } catch (error) {
      hideAbsence(caller, service, input, error);
      throw error;
    }
  };
  const context: EngineContext = { clock, call, random };

  const dynamo = createDynamo(context);
  const sqs = createSqs(context);
  const s3 = createS3(context, options.objectDir === undefined ? {} : { dir: options.objectDir });
  const events = createEvents({ ...context, faults });
  const scheduler = createScheduler({ ...context, faults });
  const lambda = createLambda({
    ...context,
    faults,
    sources: { onMessage: sqs.onMessage, onStream: dynamo.onStream },
    ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
  });
  const states = createStates(context);
  const topics = createTopics(context);
  const configuration = [createSecrets(context), createParameters(context)];
  for (const engine of [dynamo, sqs, s3, events, scheduler, lambda, states, topics, ...configuration])
    engines.set(engine.service, engine);

  function authorize(
    { principal, invocationId }: CallContext,
    engine: Engine,
    operation: string,
    input: Json,
  ): void {
    if (principal.kind === 'administrator') return;
    // AWS services put their own events on the default bus without anybody's permission.
    if (principal.kind === 'service' && operation === 'PutEvents' && isOwnEvents(input)) return;
    const session = invocationId === undefined ? undefined : lambda.functionOf(invocationId);
    for (const request of engine.authorization(operation, input)) {
      iam.authorize(principal, request, session);
    }
  }

  // S3 tells "not there" from "not yours" only to those who may list the bucket: everyone else gets 403.
  function hideAbsence(caller: CallContext, service: CloudService, input: Json, error: unknown): void {
    const absent = error instanceof AwsError && (error.code === 'NoSuchKey' || error.code === 'NotFound');
    if (!absent || service !== 's3' || caller.principal.kind === 'administrator') return;
    const session = caller.invocationId === undefined ? undefined : lambda.functionOf(caller.invocationId);
    iam.authorize(
      caller.principal,
      { action: 's3:ListBucket', resource: `arn:aws:s3:::${input.Bucket}` },
      session,
    );
  }

  let api: RequestListener = notDeployed;
  const apiServer = await listen(
    (request, response) => api(request, response),
    options.apiPort ?? 0,
    'the HTTP API',
    '--api-port',
  );
  const wire = createWire({
    clock,
    call,
    principalOf: (invocationId) => lambda.principalOf(invocationId),
    roleOfKey: (key) => iam.roleOfKey(key),
    secretOf: (key) => iam.secretOf(key),
  });
  const awsServer = await listen(wire, options.awsPort ?? 0, 'the AWS endpoint', '--aws-port').catch(
    async (error: unknown) => {
      await apiServer.close();
      throw error;
    },
  );
  sqs.setEndpoint(awsServer.url);
  lambda.setEndpoint(awsServer.url);
  lambda.setEnvironment(options.functionEnvironment ?? {});

  const administrator: CallContext = { principal: { kind: 'administrator' } };
  const asAdministrator: Cloud['call'] = (service, operation, input = {}) =>
    call(administrator, service, operation, input);
  const deployed = emptyDeployed();
  const jwt: JwtConfiguration | undefined = options.jwt && {
    issuer: options.jwt.issuer,
    audience: [options.jwt.audience],
  };

  return {
    clock,
    iam,
    faults,
    dynamo,
    sqs,
    s3,
    events,
    scheduler,
    lambda,
    states,
    topics,
    endpoint: awsServer.url,
    apiUrl: apiServer.url,
    call: asAdministrator,
    async deploy(source, deployOptions) {
      const assembly = typeof source === 'string' ? readAssembly(source) : source;
      const target = { call: asAdministrator, iam, deployed, apiUrl: apiServer.url, jwt };
      await deployAssembly(target, assembly, deployOptions);
      for (const { definition, routes, routeThrottles } of deployed.apis.values()) {
        const limited = [...routes].map(([routeKey, route]) => {
          const throttle = routeThrottles.get(routeKey);
          return [routeKey, throttle === undefined ? route : { ...route, throttle }] as const;
        });
        api = createHttpApi({ ...definition, routes: new Map(limited) }, context);
      }
    },
    outputs: () => deployed.outputs,
    settle: clock.settle,
    until: clock.until,
    advance: clock.advance,
    metrics: () => lambda.metrics(),
    logs: (name) => lambda.logs(name),
    alarms: () => deployed.alarms,
    usedGrants: () => iam.usedGrants(),
    grantedPairs: () => iam.grantedPairs(),
    onTransition: (listener) => states.onTransition(listener),
    async close() {
      lambda.close();
      dynamo.close();
      s3.close();
      clock.close();
      await Promise.all([awsServer.close(), apiServer.close()]);
    },
  };
}
