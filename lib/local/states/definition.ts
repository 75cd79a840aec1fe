// What does the interpreter need to know about each state, once the definition is compiled?
import type { Json } from '../types.ts';
import type { Expressions } from './expression.ts';
import { parseResource, type Integration } from './resource.ts';
import { compileTemplate, type Template } from './template.ts';

/** How a state is left: by its own end, a Choice rule or a catcher. */
export interface Exit {
  /** Undefined ends the scope. */
  next: string | undefined;
  assign: Template | undefined;
  output: Template | undefined;
}

export interface Retrier {
  errorEquals: readonly string[];
  intervalSeconds: number;
  maxAttempts: number;
  backoffRate: number;
  maxDelaySeconds: number;
  fullJitter: boolean;
}

export interface Catcher extends Exit {
  errorEquals: readonly string[];
}

interface Base extends Exit {
  name: string;
  entered: string;
  exited: string;
  retry: readonly Retrier[];
  catch: readonly Catcher[];
}

export interface TaskState extends Base {
  type: 'Task';
  integration: Integration;
  arguments: Template | undefined;
  timeoutSeconds: Template | undefined;
  heartbeatSeconds: Template | undefined;
}

export interface MapState extends Base {
  type: 'Map';
  items: Template | undefined;
  itemSelector: Template | undefined;
  maxConcurrency: Template | undefined;
  processor: Scope;
  distributed: DistributedPart | undefined;
}

/** What only a Distributed Map has. */
export interface DistributedPart {
  label: string;
  childType: 'STANDARD' | 'EXPRESS';
  reader: { resource: string; arguments: Template; config: Template } | undefined;
  batcher: { maxItems: Template; maxBytes: Template; batchInput: Template | undefined } | undefined;
  writer: { arguments: Template | undefined; transformation: string; outputType: string } | undefined;
  toleratedCount: Template | undefined;
  toleratedPercentage: Template | undefined;
}

export type State =
  | TaskState
  | MapState
  | (Base & { type: 'Pass' | 'Succeed' })
  | (Base & { type: 'Fail'; error: Template | undefined; cause: Template | undefined })
  | (Base & { type: 'Wait'; seconds: Template | undefined; timestamp: Template | undefined })
  | (Base & { type: 'Choice'; choices: readonly (Exit & { condition: Template })[] })
  | (Base & { type: 'Parallel'; branches: readonly Scope[]; arguments: Template | undefined });

/** A machine, a branch or an item processor: states with a beginning and variables of their own. */
export interface Scope {
  startAt: string;
  states: ReadonlyMap<string, State>;
  timeoutSeconds: number | undefined;
}

const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_BACKOFF_RATE = 2;

function compileRetrier(raw: Json): Retrier {
  return {
    errorEquals: raw.ErrorEquals,
    intervalSeconds: raw.IntervalSeconds ?? 1,
    maxAttempts: raw.MaxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    backoffRate: raw.BackoffRate ?? DEFAULT_BACKOFF_RATE,
    maxDelaySeconds: raw.MaxDelaySeconds ?? Infinity,
    fullJitter: raw.JitterStrategy === 'FULL',
  };
}

/**
 * Compiles a definition that `validate` accepted: every expression into a closure, every state into a flat record.
 */
export function compileScope(definition: Json, expressions: Expressions): Scope {
  const optional = (value: Json, field: string) =>
    value === undefined ? undefined : compileTemplate(value, field, expressions);
  const exit = (raw: Json): Exit => ({
    next: raw.Next,
    assign: optional(raw.Assign, 'Assign'),
    output: optional(raw.Output, 'Output'),
  });

  function distributedPart(name: string, raw: Json): DistributedPart | undefined {
    const config = raw.ItemProcessor.ProcessorConfig;
    if (config?.Mode !== 'DISTRIBUTED') return undefined;
    const { ItemReader: reader, ItemBatcher: batcher, ResultWriter: writer } = raw;
    return {
      label: raw.Label ?? name.replaceAll(/[^\w-]/g, '').slice(0, 40),
      childType: config.ExecutionType,
      reader: reader && {
        resource: reader.Resource,
        arguments: compileTemplate(reader.Arguments, 'ItemReader/Arguments', expressions),
        config: compileTemplate(reader.ReaderConfig ?? {}, 'ItemReader/ReaderConfig', expressions),
      },
      batcher: batcher && {
        maxItems: compileTemplate(
          batcher.MaxItemsPerBatch ?? null,
          'ItemBatcher/MaxItemsPerBatch',
          expressions,
        ),
        maxBytes: compileTemplate(
          batcher.MaxInputBytesPerBatch ?? null,
          'ItemBatcher/MaxInputBytesPerBatch',
          expressions,
        ),
        batchInput: optional(batcher.BatchInput, 'ItemBatcher/BatchInput'),
      },
      writer: writer && {
        arguments: optional(writer.Arguments, 'ResultWriter/Arguments'),
        transformation: writer.WriterConfig?.Transformation ?? 'NONE',
        outputType: writer.WriterConfig?.OutputType ?? 'JSON',
      },
      toleratedCount: optional(raw.ToleratedFailureCount, 'ToleratedFailureCount'),
      toleratedPercentage: optional(raw.ToleratedFailurePercentage, 'ToleratedFailurePercentage'),
    };
  }

  function compileState(name: string, raw: Json): State {
    const base: Base = {
      name,
      entered: `${raw.Type}StateEntered`,
      exited: `${raw.Type}StateExited`,
      retry: (raw.Retry ?? []).map(compileRetrier),
      catch: (raw.Catch ?? []).map((c: Json) => ({ errorEquals: c.ErrorEquals, ...exit(c) })),
      ...exit(raw),
    };
    switch (raw.Type as State['type']) {
      case 'Task':
        return {
          ...base,
          type: 'Task',
          integration: parseResource(raw.Resource),
          arguments: optional(raw.Arguments, 'Arguments'),
          timeoutSeconds: optional(raw.TimeoutSeconds, 'TimeoutSeconds'),
          heartbeatSeconds: optional(raw.HeartbeatSeconds, 'HeartbeatSeconds'),
        };
      case 'Map':
        return {
          ...base,
          type: 'Map',
          items: optional(raw.Items, 'Items'),
          itemSelector: optional(raw.ItemSelector, 'ItemSelector'),
          maxConcurrency: optional(raw.MaxConcurrency, 'MaxConcurrency'),
          processor: compileScope(raw.ItemProcessor, expressions),
          distributed: distributedPart(name, raw),
        };
      case 'Parallel':
        return {
          ...base,
          type: 'Parallel',
          arguments: optional(raw.Arguments, 'Arguments'),
          branches: raw.Branches.map((branch: Json) => compileScope(branch, expressions)),
        };
      case 'Choice':
        return {
          ...base,
          type: 'Choice',
          next: raw.Default,
          choices: raw.Choices.map((choice: Json, i: number) => ({
            ...exit(choice),
            condition: compileTemplate(choice.Condition, `Choices[${i}]/Condition`, expressions),
          })),
        };
      case 'Wait':
        return {
          ...base,
          type: 'Wait',
          seconds: optional(raw.Seconds, 'Seconds'),
          timestamp: optional(raw.Timestamp, 'Timestamp'),
        };
      case 'Fail':
        return {
          ...base,
          type: 'Fail',
          error: optional(raw.Error, 'Error'),
          cause: optional(raw.Cause, 'Cause'),
        };
      case 'Pass':
      case 'Succeed':
        return { ...base, type: raw.Type };
    }
  }

  return {
    startAt: definition.StartAt,
    states: new Map(Object.entries(definition.States).map(([name, raw]) => [name, compileState(name, raw)])),
    timeoutSeconds: definition.TimeoutSeconds,
  };
}
