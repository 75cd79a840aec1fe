// Which queues and streams feed which functions?
import { ACCOUNT, AwsError, REGION, type Json } from '../types.ts';
import { queueUrlOf } from './destination.ts';
import { principalOf, toMapping, type Mapping, type Poller, type PollerContext } from './mapping.ts';
import { createQueuePoller } from './queue-source.ts';
import { functionArn, functionName } from './registry.ts';
import { createStreamPoller } from './stream-source.ts';

/** How queues and tables say that there is something to read; each answer stops it. */
export interface EventSourceHooks {
  onMessage(queueName: string, listener: () => void): () => void;
  onStream(tableName: string, listener: () => void): () => void;
}

export interface EventSources {
  /** The API's operations on mappings. */
  operations: Record<string, (input: Json) => Json>;
  close(): void;
}

const mappingArn = (uuid: string): string =>
  `arn:aws:lambda:${REGION}:${ACCOUNT}:event-source-mapping:${uuid}`;

/** What Lambda checks with the function's role before it accepts the mapping. */
async function checkSource(context: PollerContext, mapping: Mapping): Promise<void> {
  const caller = { principal: principalOf(context, mapping) };
  const queue = mapping.sourceArn.startsWith('arn:aws:sqs:');
  let answer: Json;
  try {
    answer = queue
      ? await context.call(caller, 'sqs', 'GetQueueAttributes', {
          QueueUrl: queueUrlOf(mapping.sourceArn),
          AttributeNames: ['VisibilityTimeout'],
        })
      : await context.call(caller, 'dynamodb', 'DescribeStream', { StreamArn: mapping.sourceArn });
  } catch (error) {
    throw new AwsError(
      'InvalidParameterValueException',
      `Cannot access ${queue ? 'queue' : 'stream'} ${mapping.sourceArn}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const visibilitySeconds = Number(answer.Attributes?.VisibilityTimeout ?? Infinity);
  const { timeoutSeconds } = context.record(mapping.functionName);
  if (visibilitySeconds < timeoutSeconds) {
    throw new AwsError(
      'InvalidParameterValueException',
      `Queue visibility timeout: ${visibilitySeconds} seconds is less than Function timeout: ${timeoutSeconds} seconds`,
    );
  }
}

const shown = (mapping: Mapping): Json => ({
  UUID: mapping.uuid,
  EventSourceMappingArn: mappingArn(mapping.uuid),
  ...mapping.input,
  FunctionName: undefined,
  FunctionArn: functionArn(mapping.functionName),
  BatchSize: mapping.batchSize,
  MaximumBatchingWindowInSeconds: mapping.windowSeconds,
  State: mapping.enabled ? 'Enabled' : 'Disabled',
  StateTransitionReason: 'User action',
  LastModified: mapping.modifiedMs / 1000,
  LastProcessingResult: mapping.lastResult,
});

export function createEventSources(
  context: PollerContext,
  hooks: EventSourceHooks | undefined,
  newId: () => string,
): EventSources {
  const mappings = new Map<string, { mapping: Mapping; poller: Poller; unhook: () => void }>();

  function find(input: Json) {
    const found = mappings.get(String(input.UUID));
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
    return found;
  }

  async function install(mapping: Mapping): Promise<Json> {
    if (hooks === undefined) throw new Error('This Lambda was made without event sources');
    await checkSource(context, mapping);
    const queue = mapping.sourceArn.startsWith('arn:aws:sqs:');
    const poller = queue ? createQueuePoller(context, mapping) : createStreamPoller(context, mapping);
    const unhook = queue
      ? hooks.onMessage(mapping.sourceArn.split(':').at(-1) ?? '', poller.wake)
      : hooks.onStream(/:table\/([^/]+)/.exec(mapping.sourceArn)?.[1] ?? '', poller.wake);
    mappings.set(mapping.uuid, { mapping, poller, unhook });
    poller.wake();
    return shown(mapping);
  }

  function uninstall(uuid: string) {
    const found = mappings.get(uuid);
    found?.poller.stop();
    found?.unhook();
    mappings.delete(uuid);
  }

  return {
    operations: {
      CreateEventSourceMapping(input) {
        const name = functionName(input.FunctionName);
        context.record(name);
        const twin = [...mappings.values()].some(
          ({ mapping }) => mapping.functionName === name && mapping.sourceArn === input.EventSourceArn,
        );
        if (twin) {
          throw new AwsError(
            'ResourceConflictException',
            `An event source mapping with ${input.EventSourceArn} and ${name} already exists.`,
            409,
          );
        }
        return install(toMapping(newId(), name, input, context.clock.now()));
      },
      GetEventSourceMapping: (input) => shown(find(input).mapping),
      ListEventSourceMappings: (input) => ({
        EventSourceMappings: [...mappings.values()]
          .map(({ mapping }) => mapping)
          .filter(
            ({ functionName: name, sourceArn }) =>
              (input.FunctionName === undefined || functionName(input.FunctionName) === name) &&
              (input.EventSourceArn === undefined || input.EventSourceArn === sourceArn),
          )
          .map(shown),
      }),
      UpdateEventSourceMapping(input) {
        const { mapping, poller } = find(input);
        const { UUID: _same, ...changes } = input;
        const merged = { ...mapping.input, ...changes };
        Object.assign(mapping, toMapping(mapping.uuid, mapping.functionName, merged, context.clock.now()));
        poller.wake();
        return shown(mapping);
      },
      DeleteEventSourceMapping(input) {
        const { mapping } = find(input);
        uninstall(mapping.uuid);
        return { ...shown(mapping), State: 'Deleting' };
      },
    },
    close() {
      for (const uuid of mappings.keys()) uninstall(uuid);
    },
  };
}
