// What does EventBridge answer, and whom does it tell?
import {
  ACCOUNT,
  AwsError,
  REGION,
  type CallContext,
  type Engine,
  type Json,
  type Principal,
} from '../types.ts';
import { deliver, TARGET_SERVICES, type DeliveryContext } from './delivery.ts';
import { busArn, busName, entryBytes, entryTime, isoSeconds, refusal } from './entry.ts';
import { checkShape, inputFor, type InputShape } from './input.ts';
import { compilePattern, parsePattern, type Matcher } from './pattern.ts';

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

interface Target extends InputShape {
  Id: string;
  Arn: string;
  RoleArn?: string;
  SqsParameters?: { MessageGroupId?: string };
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumRetryAttempts?: number; MaximumEventAgeInSeconds?: number };
}

interface Rule {
  name: string;
  arn: string;
  bus: string;
  patternText: string;
  matches: Matcher;
  enabled: boolean;
  description: string | undefined;
  roleArn: string | undefined;
  targets: Map<string, Target>;
}

interface Bus {
  name: string;
  arn: string;
  rules: Map<string, Rule>;
  sent: BusEvent[];
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html */
const REQUEST_LIMIT_BYTES = 256 * 1024;
const ENTRIES_LIMIT = 10;
const TARGETS_LIMIT = 5;
const SENT_KEPT = 10_000;
const SERVICE = 'events.amazonaws.com';

const ruleArn = (bus: string, name: string): string =>
  `arn:aws:events:${REGION}:${ACCOUNT}:rule/${bus === 'default' ? '' : `${bus}/`}${name}`;

/** EventBridge with the default bus. */
export function createEvents(context: DeliveryContext): EventsEngine {
  const { clock, random } = context;
  const buses = new Map<string, Bus>();

  function createBus(name: string): Bus {
    const created: Bus = { name, arn: busArn(name), rules: new Map(), sent: [] };
    buses.set(name, created);
    return created;
  }
  createBus('default');

  function bus(reference: Json): Bus {
    const name = busName(reference);
    const found = buses.get(name);
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
    return found;
  }

  function rule(input: Json, name: Json = input.Rule ?? input.Name): Rule {
    const owner = bus(input.EventBusName);
    const found = owner.rules.get(String(name));
    if (found === undefined) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Rule ${name} does not exist on EventBus ${owner.name}.`,
      );
    }
    return found;
  }

  function newId(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  function tell(event: BusEvent, through: Rule, target: Target) {
    const assumed = target.RoleArn ?? through.roleArn;
    const service: Principal = { kind: 'service', service: SERVICE, sourceArn: through.arn };
    const service_ = target.Arn.split(':')[2];
    const byRole = assumed !== undefined && service_ !== 'lambda' && service_ !== 'sqs' && service_ !== 'sns';
    const principal: Principal =
      assumed !== undefined && (byRole || target.RoleArn !== undefined)
        ? { kind: 'role', roleArn: assumed }
        : service;
    const payload = inputFor(event, target, {
      ruleArn: through.arn,
      ruleName: through.name,
      ingestionTime: isoSeconds(clock.now()),
    });
    const forward = service_ === 'events';
    deliver(context, {
      targetArn: target.Arn,
      principal,
      payload: () => payload,
      ...(target.SqsParameters === undefined ? {} : { sqs: target.SqsParameters }),
      ...(forward
        ? {
            send: () =>
              context.call({ principal }, 'events', 'ForwardEvent', {
                EventBusName: busName(target.Arn),
                event,
              }),
          }
        : {}),
      maximumRetries: target.RetryPolicy?.MaximumRetryAttempts ?? 185,
      maximumAgeSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
      deadLetterArn: target.DeadLetterConfig?.Arn,
      deadLetterPrincipal: service,
      deadLetterBody: JSON.stringify(event),
      origin: { RULE_ARN: through.arn, TARGET_ARN: target.Arn },
    });
  }

  function accept(onto: Bus, event: BusEvent) {
    onto.sent.push(event);
    if (onto.sent.length > SENT_KEPT * 1.5) onto.sent.splice(0, onto.sent.length - SENT_KEPT);
    for (const candidate of onto.rules.values()) {
      if (!candidate.enabled || !candidate.matches(event)) continue;
      for (const target of candidate.targets.values()) tell(event, candidate, target);
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

  function putRule(input: Json): Json {
    const owner = bus(input.EventBusName);
    if (input.ScheduleExpression !== undefined) {
      throw new AwsError(
        'ValidationException',
        'Scheduled rules are not supported: use EventBridge Scheduler',
      );
    }
    if (typeof input.EventPattern !== 'string') {
      throw new AwsError(
        'ValidationException',
        'Parameter(s) EventPattern or ScheduleExpression must be specified.',
      );
    }
    const name = String(input.Name);
    const found: Rule = {
      name,
      arn: ruleArn(owner.name, name),
      bus: owner.name,
      patternText: input.EventPattern,
      matches: parsePattern(input.EventPattern),
      enabled: input.State !== 'DISABLED',
      description: input.Description,
      roleArn: input.RoleArn,
      targets: owner.rules.get(name)?.targets ?? new Map(),
    };
    owner.rules.set(name, found);
    return { RuleArn: found.arn };
  }

  function putTargets(input: Json): Json {
    const found = rule(input);
    const targets: Target[] = input.Targets ?? [];
    for (const target of targets) {
      checkShape(target);
      if (!TARGET_SERVICES.includes(target.Arn.split(':')[2] ?? '')) {
        throw new AwsError('ValidationException', `Targets of ${target.Arn} are not supported`);
      }
      if (/^arn:aws:(states|events):/.test(target.Arn) && (target.RoleArn ?? found.roleArn) === undefined) {
        throw new AwsError('ValidationException', `RoleArn is required for target ${target.Arn}.`);
      }
      found.targets.set(target.Id, target);
    }
    if (found.targets.size > TARGETS_LIMIT) {
      throw new AwsError(
        'LimitExceededException',
        'The requested resource exceeds the maximum number allowed.',
      );
    }
    return { FailedEntryCount: 0, FailedEntries: [] };
  }

  const shownRule = (found: Rule): Json => ({
    Name: found.name,
    Arn: found.arn,
    EventPattern: found.patternText,
    State: found.enabled ? 'ENABLED' : 'DISABLED',
    EventBusName: found.bus,
    ...(found.description === undefined ? {} : { Description: found.description }),
    ...(found.roleArn === undefined ? {} : { RoleArn: found.roleArn }),
  });

  const operations: Record<string, (input: Json, caller: CallContext) => Json> = {
    PutEvents: putEvents,
    ForwardEvent(input) {
      accept(bus(input.EventBusName), input.event);
      return {};
    },
    CreateEventBus(input) {
      const name = String(input.Name);
      if (buses.has(name))
        throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
      return { EventBusArn: createBus(name).arn };
    },
    DescribeEventBus: (input) => ({ Name: bus(input.Name).name, Arn: bus(input.Name).arn }),
    ListEventBuses: (input) => ({
      EventBuses: [...buses.values()]
        .filter(({ name }) => name.startsWith(input.NamePrefix ?? ''))
        .map(({ name, arn }) => ({ Name: name, Arn: arn })),
    }),
    PutRule: putRule,
    DescribeRule: (input) => shownRule(rule(input)),
    ListRules: (input) => ({
      Rules: [...bus(input.EventBusName).rules.values()]
        .filter(({ name }) => name.startsWith(input.NamePrefix ?? ''))
        .map(shownRule),
    }),
    EnableRule(input) {
      rule(input).enabled = true;
      return {};
    },
    DisableRule(input) {
      rule(input).enabled = false;
      return {};
    },
    DeleteRule(input) {
      bus(input.EventBusName).rules.delete(String(input.Name));
      return {};
    },
    PutTargets: putTargets,
    RemoveTargets(input) {
      for (const id of input.Ids ?? []) rule(input).targets.delete(id);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    ListTargetsByRule: (input) => ({ Targets: [...rule(input).targets.values()] }),
    TestEventPattern: (input) => ({
      Result: compilePattern(JSON.parse(input.EventPattern))(JSON.parse(input.Event)),
    }),
  };

  return {
    service: 'events',
    authorization(operation, input) {
      const action = `events:${operation}`;
      switch (operation) {
        case 'PutEvents':
          return (input.Entries ?? []).map((entry: Json) => ({
            action,
            resource: busArn(busName(entry.EventBusName)),
            conditions: {
              'events:source': String(entry.Source ?? ''),
              'events:detail-type': String(entry.DetailType ?? ''),
            },
          }));
        case 'ForwardEvent':
          return [{ action: 'events:PutEvents', resource: busArn(busName(input.EventBusName)) }];
        case 'CreateEventBus':
        case 'DescribeEventBus':
          return [{ action, resource: busArn(busName(input.Name)) }];
        case 'ListEventBuses':
        case 'ListRules':
        case 'TestEventPattern':
          return [{ action, resource: '*' }];
        default:
          return [
            { action, resource: ruleArn(busName(input.EventBusName), String(input.Rule ?? input.Name)) },
          ];
      }
    },
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
