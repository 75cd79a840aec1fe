import { describe, expect, it } from 'vitest';
import { createClock } from '../../../lib/local/clock.ts';
import { createExpressions } from '../../../lib/local/states/expression.ts';
import { validateDefinition } from '../../../lib/local/states/validate.ts';
import type { Json } from '../../../lib/local/types.ts';
import { chain, task } from './rig.ts';

const expressions = createExpressions({ clock: createClock({ mode: 'virtual' }), random: () => 0.5 });
const check = (definition: Json, type: 'STANDARD' | 'EXPRESS' = 'STANDARD') =>
  validateDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition }), type, expressions);
const one = (state: Json) => chain({ S: state });
const inline = (more: Json = {}) => ({ Type: 'Map', ItemProcessor: chain({ I: { Type: 'Pass' } }), ...more });
const distributed = (more: Json = {}) => ({
  Type: 'Map',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' },
    ...chain({ I: { Type: 'Pass' } }),
  },
  ...more,
});

describe('a definition', () => {
  it('that uses everything allowed is accepted', () => {
    expect(() =>
      check({
        Comment: 'c ${x}',
        TimeoutSeconds: 60,
        ...chain({
          A: task('f', {
            Comment: 'c',
            QueryLanguage: 'JSONata',
            Arguments: { a: '{% $states.input %}' },
            TimeoutSeconds: "{% $number('9') %}",
            Assign: { v: '{% $states.result %}' },
            Output: '{% $states.result %}',
            Retry: [
              {
                ErrorEquals: ['X'],
                IntervalSeconds: 1,
                MaxAttempts: 0,
                BackoffRate: 1.5,
                MaxDelaySeconds: 9,
                JitterStrategy: 'FULL',
              },
              { ErrorEquals: ['States.ALL'] },
            ],
            Catch: [
              {
                ErrorEquals: ['States.ALL'],
                Assign: { v: '{% $states.errorOutput %}' },
                Output: '{% $states.errorOutput %}',
                Next: 'B',
              },
            ],
          }),
          B: distributed({
            ItemReader: {
              Resource: 'arn:aws:states:::s3:getObject',
              ReaderConfig: { InputType: 'JSONL' },
              Arguments: { Bucket: 'b', Key: 'k' },
            },
            ItemBatcher: { MaxItemsPerBatch: 10, BatchInput: { v: '{% $v %}' } },
            ResultWriter: {
              Resource: 'arn:aws:states:::s3:putObject',
              Arguments: { Bucket: 'b' },
              WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
            },
            ToleratedFailurePercentage: 5,
          }),
          C: { Type: 'Parallel', Branches: [one({ Type: 'Pass' })] },
        }),
      }),
    ).not.toThrow();
  });

  it.each<[string, Json, string]>([
    ['an unknown type', one({ Type: 'Loop' }), 'no known Type'],
    ['an unknown field', one({ Type: 'Pass', Colour: 1 }), "'Colour' is not supported"],
    ['an unknown field at the top', { ...one({ Type: 'Pass' }), Colour: 1 }, "'Colour' is not supported"],
    ['a JSONPath field', one({ Type: 'Pass', ResultPath: '$.x' }), "'ResultPath' is JSONPath"],
    ['a JSONPath key', one(task('f', { Arguments: { 'a.$': '$.x' } })), "'a.$' is JSONPath"],
    ['a JSONPath state', one({ Type: 'Pass', QueryLanguage: 'JSONPath' }), 'QueryLanguage'],
    ['a JSONPath machine', { QueryLanguage: 'JSONPath', ...one({ Type: 'Pass' }) }, 'QueryLanguage'],
    [
      'an unknown integration',
      one({ Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMesage' }),
      'not a supported integration',
    ],
    [
      'a pattern the integration lacks',
      one({ Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage.sync:2' }),
      'not a supported integration',
    ],
    [
      'the first .sync',
      one({ Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync' }),
      'not a supported integration',
    ],
    [
      'an unbound placeholder as resource',
      one({ Type: 'Task', Resource: '${Work}' }),
      'not a supported integration',
    ],
    [
      'an unbound placeholder in a value',
      one(task('f', { Arguments: { q: '${Queue}' } })),
      'placeholder ${Queue}',
    ],
    ['no way on', { StartAt: 'S', States: { S: { Type: 'Pass' } } }, 'either Next or "End"'],
    [
      'two ways on',
      { StartAt: 'S', States: { S: { Type: 'Pass', Next: 'S', End: true } } },
      'either Next or "End"',
    ],
    ['a missing target', one({ Type: 'Pass', Next: 'T' }), "there is no state 'T'"],
    ['a missing start', { StartAt: 'T', States: { S: { Type: 'Succeed' } } }, "there is no state 'T'"],
    [
      'an unreachable state',
      { StartAt: 'S', States: { S: { Type: 'Succeed' }, T: { Type: 'Succeed' } } },
      "'T' cannot be reached",
    ],
    ['a choice without rules', one({ Type: 'Choice', Choices: [] }), 'at least one rule'],
    ['a rule without condition', one({ Type: 'Choice', Choices: [{ Next: 'S' }] }), 'Condition must be'],
    ['a bad expression', one({ Type: 'Pass', Output: '{% 1 + %}' }), 'S0207'],
    ['an operator JSONata 2.0.6 lacks', one({ Type: 'Pass', Output: '{% $a ?? 1 %}' }), 'Invalid JSONata'],
    ['$eval', one({ Type: 'Pass', Output: '{% $eval("1") %}' }), '$eval'],
    ['an expression with something behind it', one({ Type: 'Pass', Output: '{% 1 %} ' }), 'nothing around'],
    [
      '$states.result before there is one',
      one(task('f', { Arguments: '{% $states.result %}' })),
      'not available',
    ],
    [
      '$states.errorOutput outside Catch',
      one(task('f', { Output: '{% $states.errorOutput %}' })),
      'not available',
    ],
    ['an unknown member of $states', one({ Type: 'Pass', Output: '{% $states.output %}' }), 'does not exist'],
    [
      'States.ALL beside others',
      one(task('f', { Retry: [{ ErrorEquals: ['X', 'States.ALL'] }] })),
      'stand alone',
    ],
    [
      'States.ALL not last',
      one(task('f', { Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] })),
      'last rule',
    ],
    ['a bad retrier', one(task('f', { Retry: [{ ErrorEquals: ['X'], BackoffRate: 0.5 }] })), 'BackoffRate'],
    [
      'a ceiling below the interval',
      one(task('f', { Retry: [{ ErrorEquals: ['X'], IntervalSeconds: 9, MaxDelaySeconds: 3 }] })),
      'MaxDelaySeconds',
    ],
    [
      'a heartbeat not below the timeout',
      one(task('f', { TimeoutSeconds: 5, HeartbeatSeconds: 5 })),
      'HeartbeatSeconds',
    ],
    [
      'a wait for two things',
      one({ Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z' }),
      'either Seconds',
    ],
    ['a variable called states', one({ Type: 'Pass', Assign: { states: 1 } }), 'not a variable name'],
    [
      'an outer variable assigned inside',
      chain({
        A: { Type: 'Pass', Assign: { v: 1 } },
        M: inline({ ItemProcessor: chain({ I: { Type: 'Pass', Assign: { v: 2 } } }) }),
      }),
      "'v' belongs to an outer scope",
    ],
    ['a name used in two scopes', chain({ I: { Type: 'Pass' }, M: inline() }), "'I' is used twice"],
    ['tolerance in an inline Map', one(inline({ ToleratedFailurePercentage: 5 })), 'DISTRIBUTED mode only'],
    [
      'a reader beside Items',
      one(
        distributed({
          Items: [1],
          ItemReader: { Resource: 'arn:aws:states:::s3:listObjectsV2', Arguments: {} },
        }),
      ),
      'not both',
    ],
    [
      'CSV without a header',
      one(
        distributed({
          ItemReader: {
            Resource: 'arn:aws:states:::s3:getObject',
            Arguments: {},
            ReaderConfig: { InputType: 'CSV' },
          },
        }),
      ),
      'CSVHeaderLocation',
    ],
    [
      'an unknown reader',
      one(distributed({ ItemReader: { Resource: 'arn:aws:states:::dynamodb:scan', Arguments: {} } })),
      'is not supported',
    ],
    ['a batcher without a size', one(distributed({ ItemBatcher: {} })), 'MaxItemsPerBatch'],
    ['no branches', one({ Type: 'Parallel', Branches: [] }), 'at least one branch'],
  ])('with %s is refused', (_what, definition, message) => {
    expect(() => check(definition)).toThrow(expect.objectContaining({ code: 'InvalidDefinition' }));
    expect(() => check(definition)).toThrow(message);
  });

  it('lets a Distributed Map assign what the outside assigns too: its children see nothing of it', () => {
    const processor = distributed().ItemProcessor;
    const inner = { ...processor, ...chain({ I: { Type: 'Pass', Assign: { v: 2 } } }) };
    expect(() =>
      check(chain({ A: { Type: 'Pass', Assign: { v: 1 } }, M: distributed({ ItemProcessor: inner }) })),
    ).not.toThrow();
  });

  it('for an Express machine may neither wait for others nor be distributed', () => {
    const wait = {
      Type: 'Task',
      Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
      Arguments: {},
    };
    expect(() => check(one(wait))).not.toThrow();
    expect(() => check(one(wait), 'EXPRESS')).toThrow('cannot wait');
    expect(() => check(one(distributed()), 'EXPRESS')).toThrow('Distributed');
  });

  it('names the place of every problem', () => {
    expect(() => check(chain({ A: { Type: 'Pass', X: 1 }, B: task('f', { Y: 2 }) }))).toThrow(
      /'X'.* at \/States\/A.*'Y'.* at \/States\/B/,
    );
    expect(() => validateDefinition('{', 'STANDARD', expressions)).toThrow('INVALID_JSON_DESCRIPTION');
    expect(() => validateDefinition('[]', 'STANDARD', expressions)).toThrow('must be an object');
  });
});
