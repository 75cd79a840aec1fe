// How does a test start runs, break something in one of them, and see how it ended?
import { openCreatives, type Review } from '../../lambdas/creative/creatives.ts';
import type { ClaimStore } from '../../lambdas/runtime/claims.ts';
import { openRuns, type Run, type Runs } from '../../lambdas/runtime/runs.ts';
import type { Fault, FaultHandle } from '../../lib/local/faults.ts';
import type { Json } from '../../lib/local/types.ts';
import type { World, WorldOptions } from '../../lib/laptop/world.ts';
import type { SandboxAccount } from '../../lib/sandbox/meta/accounts.ts';
import { ask } from '../support/api.ts';
import { MEDIA_BUCKET, testWorld } from '../support/world.ts';
import { preload, reference, type Reference } from './reference.ts';
import { newTenant } from './tenants.ts';

export const MACHINE = 'creative-generation';
export const MACHINE_ARN = `arn:aws:states:us-east-1:000000000000:stateMachine:impresario-dev-${MACHINE}`;
const QUEUES = 'http://sqs/000000000000/';

export const BRIEF = {
  product: 'Lumen Desk Lamp',
  offer: 'free shipping this week',
  audience: 'people who work late',
  pains: ['tired eyes after dark', 'a cluttered desk'],
  desires: ['calm light at night', 'a clear desk'],
  proofPoints: ['Rated 4.8 by 1,200 customers'],
  landingUrl: 'https://example.com/lamp',
  callToAction: 'buy_now',
  durationSeconds: 3,
  formats: ['1:1'],
  count: 5,
};

/** What a person says when a run asks; undefined: silence. */
export type Answer = 'approve' | 'reject';

export interface Subject {
  tenant: string;
  runId: string;
  account: SandboxAccount;
  /** One per attempt. */
  executions: string[];
}

/** Aimed at one run: `event` is filled in. */
export type RunFault = Fault extends infer F ? (F extends Fault ? Omit<F, 'event'> : never) : never;

export interface Rig {
  readonly world: World;
  readonly known: Reference;
  readonly runs: Runs;
  /** A tenant with an empty ad account and everything the reference run left in the bucket. */
  subject(): Promise<Subject>;
  /** Adds a fault that only this run meets. */
  break(subject: Subject, fault: RunFault): FaultHandle;
  start(subject: Subject, request?: Record<string, unknown>): Promise<void>;
  /** As an operator would, through the API. @throws Error with the API's answer */
  redrive(subject: Subject): Promise<void>;
  /** Until the latest execution has ended and its run is settled; answers a review on the way. */
  ended(subject: Subject, answer?: Answer): Promise<Json>;
  /** Until the latest execution has ended and its row is closed, settled or not. */
  failed(subject: Subject, answer?: Answer): Promise<Json>;
  /** DescribeExecution of the latest attempt. */
  describe(subject: Subject): Promise<Json>;
  review(subject: Subject): Promise<Review | undefined>;
  /** State → how many outputs of it are remembered. */
  remembered(subject: Subject): Promise<Map<string, number>>;
  /** Takes everything from a queue. */
  take(queue: string): Promise<Json[]>;
  /** No sweep looks after its tenant any more, so that many subjects do not slow each other down. */
  retire(subject: Subject): Promise<void>;
  close(): Promise<void>;
}

export async function startRig(options: Partial<WorldOptions> = {}): Promise<Rig> {
  const known = await reference(makeReference);
  const world = await testWorld(options);
  world.sandbox.truth.addVideo(known.sha256, known.truth);
  return rigOn(world, known);
}

async function makeReference(world: World, tenant: string, video: Buffer): Promise<void> {
  const key = `uploads/${tenant}/clip`;
  await world.cloud.call('s3', 'PutObject', { Bucket: MEDIA_BUCKET, Key: key, Body: video });
  const run = { id: 'run-00000000000000000000000000', tenant, attempt: 1 };
  const request = { source: { kind: 'upload', key }, brief: BRIEF };
  const { executionArn } = await world.cloud.call('states', 'StartExecution', {
    stateMachineArn: MACHINE_ARN,
    name: run.id,
    input: JSON.stringify({ run, request }),
  });
  const describe = (): Promise<Json> => world.cloud.call('states', 'DescribeExecution', { executionArn });
  await world.cloud.until(async () => (await describe()).status !== 'RUNNING');
  const { status, error, cause } = await describe();
  if (status !== 'SUCCEEDED') throw new Error(`The reference run ended ${status}: ${error} ${cause}`);
}

function rigOn(world: World, known: Reference): Rig {
  const { cloud } = world;
  const noClaims: ClaimStore = {
    getJson: () => Promise.reject(new Error('These requests are small.')),
    putJson: () => Promise.reject(new Error('These requests are small.')),
  };
  const runs = openRuns(world.table('runs'), noClaims);
  const creatives = openCreatives(world.table('creatives'));
  let made = 0;

  const rig: Rig = {
    world,
    known,
    runs,
    async subject() {
      made += 1;
      const digits = String(made).padStart(5, '0');
      const tenant = `tenant-${digits}`;
      const account = await newTenant(world, tenant, made);
      await preload(world, tenant, known);
      return { tenant, account, runId: `run-${digits.padStart(26, '0')}`, executions: [] };
    },
    break: ({ runId }, fault) => cloud.faults.add({ ...fault, event: runId }),
    async start(subject, request = {}) {
      const { tenant, runId } = subject;
      const key = `uploads/${tenant}/clip`;
      await cloud.call('s3', 'PutObject', { Bucket: MEDIA_BUCKET, Key: key, Body: known.video });
      const asked = { source: { kind: 'upload', key }, brief: BRIEF, ...request };
      await runs.open({ tenant, runId, stateMachine: MACHINE, request: asked, nowMs: cloud.clock.now() });
      await execute(subject, 1, asked);
    },
    async redrive(subject) {
      const { tenant, runId } = subject;
      const { status, body } = await ask(world, `POST /v1/executions/${runId}/redrive`, { tenant });
      if (status >= 300) throw new Error(`The redrive was answered ${status}: ${JSON.stringify(body)}`);
      subject.executions.push(String(body['executionArn']));
    },
    ended: (subject, answer) => until(subject, answer, isSettled),
    failed: (subject, answer) => until(subject, answer, isClosed),
    describe: ({ executions }) =>
      cloud.call('states', 'DescribeExecution', { executionArn: executions.at(-1) }),
    review: ({ tenant, runId }) => creatives.review(tenant, runId),
    async remembered({ tenant, runId }) {
      const memos = await world.table('runs').queryAll({
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :memo)',
        ExpressionAttributeValues: { ':pk': `${tenant}#run#${runId}`, ':memo': 'memo#' },
      });
      const counts = new Map<string, number>();
      for (const { sk } of memos) {
        const state = sk.split('#')[1] ?? '';
        counts.set(state, (counts.get(state) ?? 0) + 1);
      }
      return counts;
    },
    async take(queue) {
      const QueueUrl = `${QUEUES}impresario-dev-${queue}`;
      const taken: Json[] = [];
      for (;;) {
        const { Messages = [] } = await cloud.call('sqs', 'ReceiveMessage', {
          QueueUrl,
          MaxNumberOfMessages: 10,
        });
        if (Messages.length === 0) return taken;
        for (const { Body, ReceiptHandle } of Messages) {
          taken.push(JSON.parse(Body));
          await cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
        }
      }
    },
    async retire({ tenant }) {
      await world.table('settings').delete({ Key: { pk: 'platform#tenant', sk: tenant } });
    },
    close: () => world.close(),
  };

  async function execute(subject: Subject, attempt: number, request: unknown): Promise<void> {
    const { tenant, runId } = subject;
    const { executionArn } = await cloud.call('states', 'StartExecution', {
      stateMachineArn: MACHINE_ARN,
      name: attempt === 1 ? runId : `${runId}-${attempt}`,
      input: JSON.stringify({ run: { id: runId, tenant, attempt }, request }),
    });
    subject.executions.push(executionArn);
  }

  async function until(
    subject: Subject,
    answer: Answer | undefined,
    over: (subject: Subject, status: string) => Promise<boolean>,
  ): Promise<Json> {
    await cloud.until(async () => {
      const { status } = await rig.describe(subject);
      if (status !== 'RUNNING') return over(subject, status);
      if (answer === undefined) return false;
      const review = await creatives.review(subject.tenant, subject.runId);
      if (review?.status === 'open') await reply(subject, review, answer);
      return false;
    });
    return rig.describe(subject);
  }

  async function reply(subject: Subject, review: Review, answer: Answer): Promise<void> {
    const all = review.plan.variations.map(({ id }) => id);
    const decision = {
      approved: answer === 'approve' ? all : [],
      rejected: answer === 'approve' ? [] : all,
      actor: 'reviewer',
      comment: '',
      comments: {},
    };
    await creatives.answerReview(subject.tenant, review, decision, cloud.clock.now());
    const output = JSON.stringify(decision);
    // The step that asked may have died since: then it asks again, with a new token.
    await cloud
      .call('states', 'SendTaskSuccess', { taskToken: review.token, output })
      .catch((error: Error) => {
        if (error.name !== 'TaskTimedOut') throw error;
      });
    // Answered between two looks at the clock: the execution goes on before time does.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function isClosed({ tenant, runId }: Subject): Promise<boolean> {
    const row = await runs.get(tenant, runId);
    return row !== undefined && !isOpen(row);
  }

  /** The row is closed; of what failed, everything was undone and reported. */
  async function isSettled({ tenant, runId }: Subject, status: string): Promise<boolean> {
    const row = await runs.get(tenant, runId);
    if (row === undefined || isOpen(row)) return false;
    if (status === 'SUCCEEDED') return true;
    const settlement = await world.table('runs').get({
      pk: `${tenant}#run#${runId}`,
      sk: `settlement#${row.attempt}`,
    });
    return settlement?.['settled'] === true;
  }

  return rig;
}

export function isOpen({ status }: Pick<Run, 'status'>): boolean {
  return status === 'awaiting-upload' || status === 'running' || status === 'needs-review';
}
