// What does EventBridge answer, and whom does it tell?
import { ACCOUNT, AwsError, REGION, type CallContext, type Engine, type Json } from '../types.ts';
import { eventsAuthorization } from './authorization.ts';
import type { DeliveryContext } from './delivery.ts';
import { busName, entryBytes, entryTime, refusal } from './entry.ts';
import { compilePattern } from './pattern.ts';
import { createRegistry, type Bus } from './registry.ts';
import { tell } from './telling.ts';

/** An event as rules and targets see it. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO, whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: Json;
}

export interface EventsEngine extends Engine {
  /** Every event a bus accepted, newest last (the last 10,000). */
  sent(busName: string): BusEvent[];
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html */
const REQUEST_LIMIT_BYTES = 256 * 1024;
const ENTRIES_LIMIT = 10;
const SENT_KEPT = 10_000;

/** EventBridge with the default bus. */
export function createEvents(context: DeliveryContext): EventsEngine {
  const { clock, random } = context;
  const { buses, bus, operations: ofRegistry } = createRegistry();

  function newId(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  function accept(onto: Bus, event: BusEvent) {
    onto.sent.push(event);
    if (onto.sent.length > SENT_KEPT * 1.5) onto.sent.splice(0, onto.sent.length - SENT_KEPT);
    for (const candidate of onto.rules.values()) {
      if (!candidate.enabled || !candidate.matches(event)) continue;
      for (const target of candidate.targets.values()) tell(context, event, candidate, target);
    }
  }

  function putEvents(input: Json, caller: CallContext): Json {
    const entries: Json[] = input.Entries ?? [];
    if (entries.length === 0 || entries.length > ENTRIES_LIMIT) {
      throw new AwsError(
        'ValidationException',
        `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${ENTRIES_LIMIT}`,
      );
    }
    if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > REQUEST_LIMIT_BYTES) {
      throw new AwsError(
        'ValidationException',
        'Total size of the entries in the request is over the limit.',
      );
    }
    const results = entries.map((entry) => {
      const refused = refusal(entry, caller, (name) => buses.has(name));
      if (refused !== undefined) return refused;
      const event: BusEvent = {
        version: '0',
        id: newId(),
        'detail-type': entry.DetailType,
        source: entry.Source,
        account: ACCOUNT,
        time: entryTime(entry.Time, clock.now()),
        region: REGION,
        resources: entry.Resources ?? [],
        detail: JSON.parse(entry.Detail),
      };
      accept(bus(entry.EventBusName), event);
      return { EventId: event.id };
    });
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  const operations: Record<string, (input: Json, caller: CallContext) => Json> = {
    ...ofRegistry,
    PutEvents: putEvents,
    ForwardEvent(input) {
      accept(bus(input.EventBusName), input.event);
      return {};
    },
    TestEventPattern: (input) => ({
      Result: compilePattern(JSON.parse(input.EventPattern))(JSON.parse(input.Event)),
    }),
  };

  return {
    service: 'events',
    authorization: eventsAuthorization,
    async call(operation, input, caller) {
      const run = operations[operation];
      if (run === undefined) {
        throw new AwsError('UnknownOperationException', `EventBridge ${operation} is not supported`, 404);
      }
      return run(input, caller);
    },
    sent: (name) => buses.get(busName(name))?.sent ?? [],
  };
}
