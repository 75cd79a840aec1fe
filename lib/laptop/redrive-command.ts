// `redrive`: how do ended runs of what is being served start again?
import { systemClock } from '../../lambdas/runtime/clock.ts';
import type { Env } from '../../lambdas/runtime/need.ts';
import { redriveFrom, redriveNeed, type Redriven } from '../../lambdas/runtime/redrive.ts';
import { redriveQueue } from '../../lambdas/runtime/redrive-queue.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { ExitCode, Surroundings } from './laptop.ts';
import { MEDIA_BUCKET } from './outcome.ts';
import { servingOf } from './other-commands.ts';
import type { Serving } from './serving.ts';
import { LAPTOP_STAGE } from './world.ts';

export interface RedriveOptions {
  runId?: string;
  /** `creative-dead-letters`, with or without the stage. */
  queue?: string;
  tenant: string;
  json: boolean;
}

const PREFIX = `impresario-${LAPTOP_STAGE}-`;

export async function redriveCommand(context: Surroundings, options: RedriveOptions): Promise<ExitCode> {
  const env = environmentOf(servingOf(context));
  const redrive = redriveFrom(env, systemClock);
  const { out } = context;
  if (options.runId !== undefined) {
    const redriven = await redrive.run(options.tenant, options.runId);
    if (options.json) context.writeOut(`${JSON.stringify({ redriven: [redriven], left: [] })}\n`);
    else out.line(sentence(redriven));
    return 0;
  }
  const name = options.queue ?? '';
  const runs = runsNeed('read').open(env, { clock: systemClock });
  const done = await redriveQueue({ env, redrive, runs }, name.startsWith(PREFIX) ? name : PREFIX + name);
  if (options.json) context.writeOut(`${JSON.stringify(done)}\n`);
  else {
    for (const one of done.redriven) out.line(sentence(one));
    for (const { runId, reason } of done.left) out.line(`Left on the queue: ${runId} ${reason}`);
    if (done.outdated > 0) out.line(`${done.outdated} messages were of earlier attempts and are gone.`);
    if (done.moving) out.line('The messages are on their way back to the queue they came from.');
    else if (done.redriven.length + done.left.length + done.outdated === 0) out.line(`${name} is empty.`);
  }
  return done.left.length === 0 ? 0 : 1;
}

const sentence = ({ tenant, runId, attempt, executionArn }: Redriven): string =>
  `Run ${runId} of ${tenant} started again, attempt ${attempt}: ${executionArn}`;

/** What the functions' own environment would hold, for a tool outside them. */
function environmentOf({ awsEndpoint }: Serving): Env {
  const env: Record<string, string> = {
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'laptop',
    AWS_SECRET_ACCESS_KEY: 'laptop',
  };
  for (const [key, value] of Object.entries(redriveNeed.env)) {
    if (typeof value === 'string') env[key] = value;
    else if ('config' in value)
      throw new Error(`The setting ${value.config} is not known outside a function.`);
    else if (value.of.kind === 'table') env[key] = `${PREFIX}${value.of.name}`;
    else if (value.of.kind === 'bucket') env[key] = MEDIA_BUCKET;
    else if (value.of.kind === 'stateMachine')
      env[key] = `arn:aws:states:us-east-1:000000000000:stateMachine:${PREFIX}${value.of.name}`;
    else throw new Error(`The address of a ${value.of.kind} is not known outside a function.`);
  }
  return env;
}
