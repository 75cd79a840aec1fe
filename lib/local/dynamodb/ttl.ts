// Which items have outlived their time, and when are they removed?
import { AwsError, type EngineContext, type Json, type Timer } from '../types.ts';
import type { Item } from './dynalite.ts';
import type { DynamoStore } from './store.ts';

const SWEEP_MS = 60 * 60 * 1000;
/** Items that expired more than five years ago are left alone (DynamoDB TTL guide). */
const TOO_OLD_MS = 5 * 365 * 24 * 60 * 60 * 1000;

export interface TimeToLive {
  update(input: Json): Json;
  describe(input: Json): Json;
  forget(tableName: string): void;
  /** Removes what is due now; returns how many items. */
  sweep(): number;
  close(): void;
}

/**
 * @param lagMs how long after its time an item is still there
 * @param remove deletes one item as the service itself
 */
export function createTimeToLive(
  store: DynamoStore,
  clock: EngineContext['clock'],
  lagMs: number,
  remove: (tableName: string, item: Item) => void,
): TimeToLive {
  const attributes = new Map<string, string>();
  let timer: Timer | undefined;

  const sweep = (): number => {
    let removed = 0;
    for (const [tableName, attribute] of attributes) {
      for (const item of store.items(tableName)) {
        const text: unknown = item[attribute]?.N;
        const dueMs = typeof text === 'string' ? Number(text) * 1000 : Number.NaN;
        if (!(dueMs + lagMs <= clock.now()) || dueMs < clock.now() - TOO_OLD_MS) continue;
        remove(tableName, item);
        removed += 1;
      }
    }
    return removed;
  };

  const arm = (): void => {
    if (timer !== undefined || attributes.size === 0) return;
    const run = (): void => {
      timer = undefined;
      sweep();
      arm();
    };
    timer = clock.at(clock.now() + SWEEP_MS, run, { idle: true });
  };
  const disarm = (): void => {
    timer?.cancel();
    timer = undefined;
  };

  return {
    update(input) {
      const table = store.table(input.TableName);
      const { Enabled, AttributeName } = input.TimeToLiveSpecification ?? {};
      if (typeof Enabled !== 'boolean' || typeof AttributeName !== 'string' || AttributeName === '') {
        throw new AwsError('ValidationException', 'TimeToLiveSpecification needs Enabled and AttributeName');
      }
      if (Enabled === attributes.has(table.TableName)) {
        throw new AwsError(
          'ValidationException',
          `TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`,
        );
      }
      if (Enabled) attributes.set(table.TableName, AttributeName);
      else attributes.delete(table.TableName);
      if (attributes.size === 0) disarm();
      arm();
      return { TimeToLiveSpecification: { Enabled, AttributeName } };
    },
    describe(input) {
      const AttributeName = attributes.get(store.table(input.TableName).TableName);
      return {
        TimeToLiveDescription:
          AttributeName === undefined
            ? { TimeToLiveStatus: 'DISABLED' }
            : { TimeToLiveStatus: 'ENABLED', AttributeName },
      };
    },
    forget(tableName) {
      attributes.delete(tableName);
      if (attributes.size === 0) disarm();
    },
    sweep,
    close: disarm,
  };
}
