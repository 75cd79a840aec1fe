// `redrive`: how do ended runs of what is being served start again?
import { systemClock } from '../../lambdas/runtime/clock.ts';
import { AREAS } from '../../lambdas/runtime/events.ts';
import type { Env } from '../../lambdas/runtime/need.ts';
import { redriveFrom, redriveNeed, type Redriven } from '../../lambdas/runtime/redrive.ts';
import { redriveQueue, type LetterFilter, type QueueRedrive } from '../../lambdas/runtime/redrive-queue.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { ExitCode, Surroundings } from './laptop.ts';
import { MEDIA_BUCKET } from './outcome.ts';
import { servingOf } from './other-commands.ts';
import type { Serving } from './serving.ts';
import { LAPTOP_STAGE } from './world.ts';

export type RedriveOptions = { json: boolean } & (
  | { runId: string; tenant: string }
  /** `queue`: `creative-dead-letters`, with or without the stage; undefined: the dead letters of every area. */
  | { queue: string | undefined; filter: LetterFilter }
);

const PREFIX = `impresario-${LAPTOP_STAGE}-`;

export async function redriveCommand(context: Surroundings, options: RedriveOptions): Promise<ExitCode> {
  const env = environmentOf(servingOf(context));
  const redrive = redriveFrom(env, systemClock);
  if ('runId' in options) {
    const redriven = await redrive.run(options.tenant, options.runId);
    if (options.json) context.writeOut(`${JSON.stringify({ redriven: [redriven], left: [] })}\n`);
    else context.out.line(sentence(redriven));
    return 0;
  }
  const runs = runsNeed('read').open(env, { clock: systemClock });
  const names = options.queue === undefined ? AREAS.map((area) => `${area}-dead-letters`) : [options.queue];
  const done: QueueRedrive = { redriven: [], outdated: 0, left: [], moving: false };
  for (const name of names) {
    const queue = name.startsWith(PREFIX) ? name : PREFIX + name;
    const of = await redriveQueue({ env, redrive, runs }, queue, options.filter);
    done.redriven.push(...of.redriven);
    done.left.push(...of.left);
    done.outdated += of.outdated;
    done.moving ||= of.moving;
  }
  if (options.json) context.writeOut(`${JSON.stringify(done)}\n`);
  else for (const line of report(done, names, options.filter)) context.out.line(line);
  return done.left.length === 0 ? 0 : 1;
}

function report(done: QueueRedrive, names: readonly string[], filter: LetterFilter): string[] {
  const filtered = Object.values(filter).some((value) => value !== undefined);
  const nothing = !done.moving && done.redriven.length + done.left.length + done.outdated === 0;
  return [
    ...done.redriven.map(sentence),
    ...done.left.map(({ runId, reason }) => `Left on the queue: ${runId} ${reason}`),
    ...(done.outdated > 0 ? [`${done.outdated} messages were of earlier attempts and are gone.`] : []),
    ...(done.moving ? ['The messages are on their way back to the queue they came from.'] : []),
    ...(nothing ? [`${names.join(', ')}: ${filtered ? 'nothing matches' : 'empty'}.`] : []),
  ];
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
