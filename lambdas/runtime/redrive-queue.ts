// How is everything on a dead-letter queue done again?
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { DeadLetter } from './dead-letters.ts';
import { Conflict, InvalidInput } from './errors.ts';
import { AREAS } from './events.ts';
import type { Env } from './need.ts';
import { openQueue, type Queue, type QueueMessage } from './queue.ts';
import type { Redrive, Redriven } from './redrive.ts';
import { parseExecutionArn, parseExecutionName } from './run-id.ts';
import type { Runs } from './runs.ts';

export interface LetterFilter {
  tenant?: string | undefined;
  runId?: string | undefined;
  /** Name of the failure, `Unavailable`. */
  error?: string | undefined;
  /** That failed; no part of a run that went on without it has one. */
  state?: string | undefined;
  stateMachine?: string | undefined;
}

export interface QueueRedrive {
  /** Started again; their messages are deleted. */
  redriven: Redriven[];
  /** Messages whose run went on without them; deleted. */
  outdated: number;
  /** Still on the queue, and why. */
  left: { runId: string; reason: string }[];
  /** Messages on their way back to the queue they came from: only for the dead letters of triggers. */
  moving: boolean;
}

/** Longer than one batch of starts takes. */
const VISIBILITY_SECONDS = 300;

/**
 * `creative-dead-letters` holds runs and parts of runs: each run that matches is started again once, and its messages are
 * deleted after that. Any other dead-letter queue holds messages of a trigger, which SQS moves back to where they came from.
 * @param name with the stage, `impresario-dev-creative-dead-letters`
 * @throws InvalidInput for a queue that does not exist, for one whose messages came from no queue, and for a filter on a
 * trigger's queue
 */
export async function redriveQueue(
  context: { env: Env; redrive: Redrive; runs: Pick<Runs, 'get'> },
  name: string,
  filter: LetterFilter = {},
): Promise<QueueRedrive> {
  const client = sharedClient(context.env, 'sqs', () => new SQSClient(awsClientConfig(context.env, 'SQS')));
  const url = await urlOf(client, name);
  if (AREAS.some((area) => name.endsWith(`-${area}-dead-letters`))) {
    const kept: string[] = [];
    try {
      return await redriveLetters(context, openQueue(client, url), filter, kept);
    } finally {
      // What stays is there for the next one who looks.
      for (const ReceiptHandle of kept) {
        const release = new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle,
          VisibilityTimeout: 0,
        });
        await awsCall(`ChangeMessageVisibility on ${name}`, () => client.send(release));
      }
    }
  }
  const sources = new ListDeadLetterSourceQueuesCommand({ QueueUrl: url });
  const { queueUrls = [] } = await awsCall(`ListDeadLetterSourceQueues of ${name}`, () =>
    client.send(sources),
  );
  if (queueUrls.length === 0)
    throw new InvalidInput(
      `${name} holds what a rule, a schedule or a stream could not deliver, and no queue that it could go back to. ` +
        'A schedule comes again by itself, and an announcement is also a dead letter of its run: read the messages, then purge the queue.',
      { path: 'queue' },
    );
  if (Object.values(filter).some((value) => value !== undefined))
    throw new InvalidInput(`${name} holds messages of a trigger, which only move back together.`);
  const { Attributes } = await awsCall(`GetQueueAttributes of ${name}`, () =>
    client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] })),
  );
  const move = new StartMessageMoveTaskCommand({ SourceArn: Attributes?.['QueueArn'] });
  await awsCall(`StartMessageMoveTask of ${name}`, () => client.send(move));
  return { redriven: [], outdated: 0, left: [], moving: true };
}

/** @param kept receives the receipts of messages that stay */
async function redriveLetters(
  context: { redrive: Redrive; runs: Pick<Runs, 'get'> },
  queue: Queue,
  filter: LetterFilter,
  kept: string[],
): Promise<QueueRedrive> {
  const done: QueueRedrive = { redriven: [], outdated: 0, left: [], moving: false };
  const seen = new Set<string>();
  for (;;) {
    const received = await queue.receive({ visibilitySeconds: VISIBILITY_SECONDS });
    const messages = received.filter(({ id }) => !seen.has(id));
    if (messages.length === 0) return done;
    for (const message of messages) {
      seen.add(message.id);
      kept.push(message.receipt);
      if (!(await settleLetter(context, message, filter, done))) continue;
      await queue.delete(message.receipt);
      kept.pop();
    }
  }
}

/** True when the message has done its work and can go. */
async function settleLetter(
  { redrive, runs }: { redrive: Redrive; runs: Pick<Runs, 'get'> },
  message: QueueMessage,
  filter: LetterFilter,
  done: QueueRedrive,
): Promise<boolean> {
  const letter = letterIn(message);
  if (letter === undefined) {
    done.left.push({ runId: '', reason: `Message ${message.id} is not a dead letter of ours.` });
    return false;
  }
  if (!matches(letter, filter)) return false;
  const { id: runId, tenant } = letter.run;
  if (done.redriven.some((one) => one.runId === runId)) return true;
  if (await isOutdated(runs, letter)) {
    done.outdated += 1;
    return true;
  }
  try {
    done.redriven.push(await redrive.run(tenant, runId));
    return true;
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof InvalidInput)) throw error;
    done.left.push({ runId, reason: error.message });
    return false;
  }
}

/** A later attempt has its own letter, or succeeded. */
async function isOutdated(runs: Pick<Runs, 'get'>, letter: DeadLetter): Promise<boolean> {
  if (letter.kind !== 'run') return false;
  const execution = parseExecutionName(parseExecutionArn(letter.executionArn).execution);
  const run = await runs.get(letter.run.tenant, letter.run.id);
  return execution !== undefined && run !== undefined && execution.attempt < run.attempt;
}

function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const said: LetterFilter = {
    tenant: letter.run.tenant,
    runId: letter.run.id,
    error: letter.error,
    stateMachine: letter.stateMachine,
    ...(letter.kind === 'run' && letter.state !== undefined ? { state: letter.state } : {}),
  };
  return (Object.keys(filter) as (keyof LetterFilter)[]).every(
    (name) => filter[name] === undefined || filter[name] === said[name],
  );
}

function letterIn({ body }: QueueMessage): DeadLetter | undefined {
  try {
    const parsed = DeadLetter.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not JSON: somebody else's message, which stays.
    return undefined;
  }
}

async function urlOf(client: SQSClient, name: string): Promise<string> {
  try {
    const command = new GetQueueUrlCommand({ QueueName: name });
    const { QueueUrl } = await awsCall(`GetQueueUrl of ${name}`, () => client.send(command));
    return QueueUrl ?? '';
  } catch (error) {
    if (error instanceof Error && /QueueDoesNotExist|NonExistentQueue/.test(error.name))
      throw new InvalidInput(`There is no queue ${name}.`, { path: 'queue', cause: error });
    throw error;
  }
}
