// Does every state machine keep the laws that no tool checks?
import validateAsl from 'asl-validator';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { isTokenTask, statesOf, taskTarget, type AslState } from '../../lib/aws/asl.ts';
import { discover } from '../../lib/aws/discover.ts';
import { STAGES, stageConfig } from '../../lib/aws/stages.ts';
import { createExpressions } from '../../lib/local/states/expression.ts';
import { validateDefinition } from '../../lib/local/states/validate.ts';
import { exits, expressionsIn, innerScopes, reassigned, unassigned, type Scope } from './variables.ts';

const tree = await discover();
const machines = tree.machines.map(({ name, definition }) => ({
  name,
  definition,
  scope: JSON.parse(definition) as Scope & Record<string, unknown>,
  states: statesOf(definition),
}));
const tasksOf = (states: readonly AslState[]) => states.filter(({ Type }) => Type === 'Task');

const OURS = ['InvalidInput', 'Refused', 'RateLimited', 'Unavailable', 'Conflict'];
/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and Lambda's own. */
const AWS = [
  'States.ALL',
  'States.DataLimitExceeded',
  'States.ExceedToleratedFailureThreshold',
  'States.HeartbeatTimeout',
  'States.ItemReaderFailed',
  'States.Permissions',
  'States.QueryEvaluationError',
  'States.ResultWriterFailed',
  'States.Runtime',
  'States.TaskFailed',
  'States.Timeout',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ServiceException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
  'Sandbox.Timedout',
];
const CRASHES = ['Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'];
const TIMEOUTS = ['States.Timeout', 'States.HeartbeatTimeout'];
const RETRIERS = [
  ['RateLimited'],
  [
    'Unavailable',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
  ],
];

interface Rule {
  ErrorEquals: string[];
  MaxAttempts?: number;
  MaxDelaySeconds?: number;
  JitterStrategy?: string;
  Next?: string;
}
const rules = (state: AslState, field: 'Retry' | 'Catch') => (state[field] as Rule[] | undefined) ?? [];

/** Every key at any depth, with its value. */
function* entries(value: unknown): Generator<[string, unknown]> {
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    yield [key, inner];
    yield* entries(inner);
  }
}

it('there is something to check', () => {
  expect(machines.map(({ name }) => name)).toContain('creative-generation');
});

describe.each(machines)('$name', ({ definition, scope, states }) => {
  const { config } = stageConfig('dev');
  const deployed = definition.replace(/\$\{(\w+)\}/g, (_, name: string) =>
    String(config.workflows[name] ?? `arn:aws:lambda:us-east-1:000000000000:function:${name}`),
  );

  it('is accepted by asl-validator', () => {
    const { isValid, errors } = validateAsl(JSON.parse(deployed), { checkArn: true, checkPaths: true });
    expect(errors.map((error) => JSON.stringify(error))).toEqual([]);
    expect(isValid).toBe(true);
  });

  it('is accepted by the embedded Step Functions, as deployed', () => {
    const expressions = createExpressions({ clock: { now: () => 0 } as never, random: () => 0.5 });
    expect(() => void validateDefinition(deployed, 'STANDARD', expressions)).not.toThrow();
  });

  it('is JSONata throughout, and says how long it may take', () => {
    expect(scope['QueryLanguage']).toBe('JSONata');
    expect(scope['TimeoutSeconds']).toEqual(expect.any(Number));
    const jsonPath = [
      'InputPath',
      'OutputPath',
      'ResultPath',
      'Parameters',
      'ResultSelector',
      'ItemsPath',
      'SecondsPath',
    ];
    const found = [...entries(scope)].filter(
      ([key, value]) =>
        jsonPath.includes(key) || key.endsWith('.$') || (key === 'QueryLanguage' && value !== 'JSONata'),
    );
    expect(found).toEqual([]);
  });

  it('uses only what JSONata 2.0.6 accepts', () => {
    const wrong = expressionsIn(scope).filter((text) => /\?\?|\?:|\$eval\b/.test(text));
    expect(wrong).toEqual([]);
  });

  it('has every placeholder bound, in every stage', () => {
    const names = new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name));
    for (const stage of STAGES) {
      const { workflows } = stageConfig(stage).config;
      const unbound = [...names].filter(
        (name) => workflows[name] === undefined && !tree.tasks.some(({ spec }) => spec.name === name),
      );
      expect(unbound, stage).toEqual([]);
    }
  });

  it('reads no variable that is not assigned on every way to it', () => {
    expect(unassigned(scope)).toEqual([]);
  });

  it('assigns no outer variable from an inner scope', () => {
    expect(reassigned(scope)).toEqual([]);
  });

  it('never reads a result before there is one', () => {
    const wrong = states.filter((state) =>
      expressionsIn([state.Arguments, state['Items'], state['ItemSelector'], state['ItemBatcher']]).some(
        (text) => /\$states\.(result|errorOutput)\b/.test(text),
      ),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('explains each state in one line', () => {
    const silent = states.filter(
      ({ Comment: text }) => typeof text !== 'string' || text.length < 5 || text.includes('\n'),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
    expect(scope['Comment']).toEqual(expect.any(String));
  });

  it('gives each Task a timeout, the three retriers and a way out', () => {
    for (const state of tasksOf(states)) {
      expect(state.TimeoutSeconds, state.name).toBeDefined();
      const retriers = rules(state, 'Retry');
      // Where a person has a day to answer, silence is an answer and nothing to repeat.
      const crashes = isTokenTask(state) ? CRASHES : [...TIMEOUTS, ...CRASHES];
      expect(
        retriers.map(({ ErrorEquals }) => ErrorEquals),
        state.name,
      ).toEqual([...RETRIERS, crashes]);
      for (const { MaxAttempts, MaxDelaySeconds, JitterStrategy } of retriers) {
        expect(JitterStrategy, state.name).toBe('FULL');
        expect(MaxDelaySeconds, state.name).toBeGreaterThan(0);
        expect(MaxAttempts, state.name).toBeGreaterThanOrEqual(3);
      }
      expect(rules(state, 'Catch').at(-1)?.ErrorEquals, state.name).toEqual(['States.ALL']);
    }
  });

  it('passes every Task the same envelope', () => {
    for (const state of tasksOf(states)) {
      const envelope = isTokenTask(state) ? state.Arguments?.['Payload'] : state.Arguments;
      expect(envelope, state.name).toEqual({
        // The first state is where the variable is assigned.
        run: state.name === scope['StartAt'] ? '{% $states.input.run %}' : '{% $run %}',
        execution: '{% $states.context.Execution.Id %}',
        state: '{% $states.context.State.Name %}',
        input: expect.any(Object) as object,
      });
    }
  });

  it('gives each task exactly the fields it reads: a field it ignores would change what it remembers', () => {
    for (const state of tasksOf(states)) {
      const envelope = isTokenTask(state) ? state.Arguments?.['Payload'] : state.Arguments;
      const { input } = envelope as { input: object };
      const shape = tree.tasks.find(({ spec }) => spec.name === taskTarget(state))?.spec.input;
      const known = Object.keys((shape as z.ZodObject | undefined)?.shape ?? {});
      expect(
        Object.keys(input).filter((field) => !known.includes(field)),
        state.name,
      ).toEqual([]);
    }
  });

  it('lets a heartbeat be missed before the timeout', () => {
    const late = states.filter(
      ({ HeartbeatSeconds, TimeoutSeconds }) =>
        HeartbeatSeconds !== undefined && !((HeartbeatSeconds as number) < (TimeoutSeconds as number)),
    );
    expect(late.map(({ name }) => name)).toEqual([]);
  });

  it('names only errors that are ours or AWS’s, States.ALL alone and last', () => {
    for (const state of states) {
      for (const field of ['Retry', 'Catch'] as const) {
        const named = rules(state, field).map(({ ErrorEquals }) => ErrorEquals);
        expect(
          named.flat().filter((name) => ![...OURS, ...AWS].includes(name)),
          state.name,
        ).toEqual([]);
        const all = named.findIndex((names) => names.includes('States.ALL'));
        expect([-1, named.length - 1], state.name).toContain(all);
        expect(named[all] ?? ['States.ALL'], state.name).toEqual(['States.ALL']);
      }
    }
  });

  it('has an answer for every Choice', () => {
    const open = states.filter(({ Type, Default }) => Type === 'Choice' && typeof Default !== 'string');
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  it('fans out within bounds', () => {
    const open = states.filter(({ Type, MaxConcurrency }) => Type === 'Map' && MaxConcurrency === undefined);
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  it('ends red after an undo, whatever the undo does', () => {
    const undoing = new Set(
      tree.tasks.filter(({ spec }) => spec.undoes.length > 0).map(({ spec }) => spec.name),
    );
    const scopes = (one: Scope): Scope[] => [
      one,
      ...Object.values(one.States).flatMap(innerScopes).flatMap(scopes),
    ];
    for (const one of scopes(scope)) {
      for (const name of Object.keys(one.States).filter((state) => undoing.has(state))) {
        expect(ends(one, name), `from ${name}`).toEqual(['Fail']);
      }
    }
  });

  it('undoes in reverse: each undo leads to the undo of what came before it', () => {
    const undoOf = new Map(
      tree.tasks.flatMap(({ spec }) =>
        spec.undoneBy === undefined ? [] : [[spec.name, spec.undoneBy] as const],
      ),
    );
    for (const state of tasksOf(states)) {
      const undo = undoOf.get(taskTarget(state) ?? '');
      if (undo === undefined) continue;
      expect(rules(state, 'Catch').at(-1)?.Next, `${state.name} fails`).toBe(undo);
    }
  });
});

/** Kinds of state in which a path from here can end. */
function ends(scope: Scope, from: string, seen = new Set<string>()): string[] {
  if (seen.has(from)) return [];
  seen.add(from);
  const fields = scope.States[from] ?? {};
  const here =
    fields['End'] === true || ['Succeed', 'Fail'].includes(String(fields['Type']))
      ? [String(fields['Type'])]
      : [];
  return [...new Set([...here, ...exits(fields).flatMap(({ to }) => ends(scope, to, seen))])];
}
