// How does a Task run: scheduled, started, answered, failed, timed out, heartbeat missed, aborted?
import { AwsError, REGION, type Timer } from '../types.ts';
import type { TaskState } from './definition.ts';
import { uuid } from './expression.ts';
import { asFailure, payloadJson, StateFailure } from './failure.ts';
import type { Bindings } from './fast-path.ts';
import { perform } from './integrations.ts';
import type { Outcome, Visit } from './interpreter.ts';
import { numberFrom } from './run.ts';

type Settled = { kind: 'succeeded'; value: unknown } | { kind: 'failed' | 'timedOut'; failure: StateFailure };

interface Attempt {
  args: unknown;
  argsJson: string;
  timeoutSeconds: number | undefined;
  heartbeatSeconds: number | undefined;
  token: string | undefined;
}

/** How the events of this kind of task are called. */
const EVENTS = {
  function: {
    started: 'LambdaFunctionStarted',
    succeeded: 'LambdaFunctionSucceeded',
    failed: 'LambdaFunctionFailed',
    timedOut: 'LambdaFunctionTimedOut',
  },
  service: {
    started: 'TaskStarted',
    succeeded: 'TaskSucceeded',
    failed: 'TaskFailed',
    timedOut: 'TaskTimedOut',
  },
} as const;

/** Runs one attempt. @throws StateFailure with the error name Retry and Catch look for. */
export async function runTask(state: TaskState, visit: Visit): Promise<Outcome> {
  const { run, thread, halt, context } = visit;
  const { integration } = state;
  const { clock } = run.world.context;
  const { history } = run.execution;
  const attempt = await prepare(state, visit);
  halt.check();
  schedule(state, visit, attempt);
  const names = EVENTS[integration.kind === 'function' ? 'function' : 'service'];
  history.append(names.started, thread, clock.now(), integration.resourceType, integration.resource);
  const settled = await settle(state, visit, attempt);
  delete context.Task;
  halt.check();
  const note = (type: string, c: unknown, d?: unknown) =>
    history.append(type, thread, clock.now(), integration.resourceType, integration.resource, c, d);
  if (settled.kind !== 'succeeded') {
    const { failure } = settled;
    const submitting = integration.pattern !== 'request' && failure.cause instanceof AwsError;
    note(submitting ? 'TaskSubmitFailed' : names[settled.kind], failure.error, failure.explanation);
    throw failure;
  }
  let json: string;
  try {
    json = payloadJson(settled.value ?? null, `The state/task '${integration.arn}' returned a result which`);
  } catch (thrown) {
    const failure = asFailure(thrown);
    note(names.failed, failure.error, failure.explanation);
    throw failure;
  }
  note(names.succeeded, json);
  // A copy: what ran in this process may still hold, and change, what it returned.
  return { value: JSON.parse(json) as unknown, json };
}

async function prepare(state: TaskState, visit: Visit): Promise<Attempt> {
  const { run, frame, context } = visit;
  let token: string | undefined;
  let bindings: Bindings = visit.bindings;
  if (state.integration.pattern === 'token') {
    token = uuid(run.world.context.random);
    context.Task = { Token: token };
    const { variables, states } = bindings;
    bindings = { variables, states: { ...states, context } };
  }
  let args = state.arguments === undefined ? frame.value : state.arguments(bindings);
  if (args instanceof Promise) args = await args;
  const seconds = async (template: TaskState['timeoutSeconds'], field: string) =>
    template === undefined ? undefined : numberFrom(await template(bindings), field, 1);
  return {
    args,
    argsJson: payloadJson(args, `The Arguments of the state '${state.name}'`),
    timeoutSeconds:
      state.timeoutSeconds === undefined ? undefined : await seconds(state.timeoutSeconds, 'TimeoutSeconds'),
    heartbeatSeconds:
      state.heartbeatSeconds === undefined
        ? undefined
        : await seconds(state.heartbeatSeconds, 'HeartbeatSeconds'),
    token,
  };
}

function schedule({ integration }: TaskState, { run, thread }: Visit, attempt: Attempt): void {
  const { history } = run.execution;
  const nowMs = run.world.context.clock.now();
  if (integration.kind === 'function') {
    history.append(
      'LambdaFunctionScheduled',
      thread,
      nowMs,
      integration.arn,
      attempt.argsJson,
      attempt.timeoutSeconds,
    );
    return;
  }
  const limits = { region: REGION, t: attempt.timeoutSeconds, h: attempt.heartbeatSeconds };
  const { resourceType, resource } = integration;
  history.append('TaskScheduled', thread, nowMs, resourceType, resource, attempt.argsJson, limits);
}

/** Waits for whichever comes first: the answer, the token, a timeout, a missed heartbeat, a halt. */
function settle(state: TaskState, visit: Visit, attempt: Attempt): Promise<Settled> {
  const { run, thread, halt } = visit;
  const { world, execution } = run;
  const { clock } = world.context;
  const { integration } = state;
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    let open = true;
    let deadline: Timer | undefined;
    let heartbeat: Timer | undefined;

    function close(): boolean {
      if (!open) return false;
      open = false;
      deadline?.cancel();
      heartbeat?.cancel();
      stopListening();
      if (attempt.token !== undefined) {
        world.tokens.delete(attempt.token);
        world.spentTokens.add(attempt.token);
      }
      return true;
    }
    function done(settled: Settled): void {
      if (!close()) return;
      if (settled.kind === 'timedOut') controller.abort(settled.failure);
      resolve(settled);
    }
    const failed = (failure: StateFailure) => done({ kind: 'failed', failure });
    const timedOut = (error: string, explanation: string) =>
      done({ kind: 'timedOut', failure: new StateFailure(error, explanation) });
    function beat(): void {
      heartbeat?.cancel();
      if (attempt.heartbeatSeconds === undefined || !open) return;
      heartbeat = clock.at(clock.now() + attempt.heartbeatSeconds * 1000, () =>
        timedOut('States.HeartbeatTimeout', `No heartbeat within ${attempt.heartbeatSeconds} seconds.`),
      );
    }

    const stopListening = halt.onHalt((reason) => {
      close();
      execution.history.appendIfRoom('TaskStateAborted', thread, clock.now());
      controller.abort(reason);
      reject(reason);
    });
    if (attempt.timeoutSeconds !== undefined)
      deadline = clock.at(clock.now() + attempt.timeoutSeconds * 1000, () =>
        timedOut('States.Timeout', `The task ran longer than ${attempt.timeoutSeconds} seconds.`),
      );
    if (attempt.token !== undefined) {
      world.tokens.set(attempt.token, {
        machineArn: execution.machine.arn,
        succeed: (value) => done({ kind: 'succeeded', value }),
        fail: (error, cause) => failed(new StateFailure(error, cause)),
        beat,
      });
      beat();
    }

    const submitted = (value: unknown) => {
      if (!open) return;
      execution.history.append(
        'TaskSubmitted',
        thread,
        clock.now(),
        integration.resourceType,
        integration.resource,
        JSON.stringify(value),
      );
    };
    perform({
      run,
      integration,
      args: attempt.args,
      argsJson: attempt.argsJson,
      signal: controller.signal,
      submitted,
    })
      .then((value) => {
        if (attempt.token === undefined) done({ kind: 'succeeded', value });
        else submitted(value);
      })
      .catch((thrown: unknown) => failed(asFailure(thrown)));
  });
}
