// How do the tests of operations make runs, undo what runs made, and look at what is left?
import { openEffects } from '../../lambdas/runtime/intents.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import type { Role } from '../../lambdas/runtime/specs.ts';
import type { World } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { requestOf } from '../support/creative-run.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:impresario-dev-creative-generation';

export function freshRunId(world: World): string {
  return newRunId(world.cloud.clock.now(), Math.random);
}

export function executionArn(name: string): string {
  return `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`;
}

/** Starts an execution whose video does not exist: it fails in its first step. */
export async function startDoomed(
  world: World,
  { runId = freshRunId(world), tenant = 'demo' } = {},
): Promise<string> {
  await world.cloud.call('states', 'StartExecution', {
    stateMachineArn: MACHINE,
    name: runId,
    input: JSON.stringify({ run: { id: runId, tenant, attempt: 1 }, request: requestOf(tenant) }),
  });
  return runId;
}

/** As the console's stop button does. */
export async function stopExecution(world: World, name: string): Promise<void> {
  await world.cloud.call('states', 'StopExecution', {
    executionArn: executionArn(name),
    error: 'Stopped',
    cause: 'by a person',
  });
}

/** A paused campaign in the sandbox with the intent of having made it, as PublishCampaign leaves them. */
export async function campaignOf(world: World, runId: string, attempt = 1, tenant = 'demo'): Promise<void> {
  const name = `Lamp [${runId}/campaign/launch]`;
  const account = { accountId: DEFAULT_ACCOUNT.id, secret: `tenants/${tenant}/meta` };
  const effects = openEffects(
    world.table('runs'),
    { tenant, id: runId, attempt },
    world.cloud.clock.now,
    'all',
    'UndoPublish',
  );
  await effects.begin('campaign', 'launch', { name, ...account });
  const answer = await fetch(`${world.sandbox.url}/meta/v25.0/act_${DEFAULT_ACCOUNT.id}/campaigns`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${DEFAULT_ACCOUNT.tokens[0]}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      name,
      objective: 'OUTCOME_TRAFFIC',
      status: 'PAUSED',
      special_ad_categories: [],
      is_adset_budget_sharing_enabled: false,
    }),
  });
  const { id } = (await answer.json()) as { id?: string };
  if (id === undefined) throw new Error(`The sandbox made no campaign: ${answer.status}`);
  await effects.applied('campaign', 'launch', { id });
}

export function adAccount(world: World): string {
  return world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
}

export async function runRow(
  world: World,
  runId: string,
  tenant = 'demo',
): Promise<Record<string, unknown> | undefined> {
  return world.table('runs').get({ pk: `${tenant}#run#${runId}`, sk: 'run' });
}

/** Bodies of what waits on a queue, taken off it. */
export async function drain(world: World, queue: string): Promise<Record<string, unknown>[]> {
  const QueueUrl = await queueUrl(world, queue);
  const bodies: Record<string, unknown>[] = [];
  for (;;) {
    const answer = (await world.cloud.call('sqs', 'ReceiveMessage', {
      QueueUrl,
      MaxNumberOfMessages: 10,
    })) as {
      Messages?: { Body: string; ReceiptHandle: string }[];
    };
    for (const { Body, ReceiptHandle } of answer.Messages ?? []) {
      bodies.push(JSON.parse(Body) as Record<string, unknown>);
      await world.cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
    }
    if ((answer.Messages ?? []).length === 0) return bodies;
  }
}

export async function queueUrl(world: World, queue: string): Promise<string> {
  const { QueueUrl } = (await world.cloud.call('sqs', 'GetQueueUrl', {
    QueueName: `impresario-dev-${queue}`,
  })) as {
    QueueUrl: string;
  };
  return QueueUrl;
}

/** Everything that is said on the platform's bus from now on. */
export async function listen(
  world: World,
): Promise<() => Promise<{ name: string; detail: Record<string, unknown> }[]>> {
  const Arn = 'arn:aws:sqs:us-east-1:000000000000:impresario-dev-heard';
  await world.cloud.call('sqs', 'CreateQueue', { QueueName: 'impresario-dev-heard' });
  world.cloud.iam.putResourcePolicy(Arn, 'heard', {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: Arn,
      },
    ],
  });
  const rule = { Name: 'heard', EventBusName: 'impresario-dev' };
  await world.cloud.call('events', 'PutRule', {
    ...rule,
    EventPattern: JSON.stringify({ source: [{ prefix: 'impresario.' }] }),
  });
  await world.cloud.call('events', 'PutTargets', {
    Rule: rule.Name,
    EventBusName: rule.EventBusName,
    Targets: [{ Id: 'heard', Arn }],
  });
  return async () =>
    (await drain(world, 'heard')).map((event) => ({
      name: String(event['detail-type']),
      detail: event['detail'] as Record<string, unknown>,
    }));
}

export interface Answer {
  status: number;
  type: string;
  headers: Headers;
  body: Record<string, unknown>;
}

/** One request to the HTTP API as somebody; `null` has no token. */
export async function ask(
  world: World,
  who: { tenant: string; role: Role } | null,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const token =
    who === null ? undefined : await world.issuer.sign({ ...who, subject: `${who.role}@${who.tenant}` });
  const response = await fetch(`${world.cloud.apiUrl}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
