// Which buses, rules and targets are there?
import { ACCOUNT, AwsError, REGION, type Json } from '../types.ts';
import { TARGET_SERVICES } from './delivery.ts';
import { busArn, busName } from './entry.ts';
import type { BusEvent } from './events.ts';
import { checkShape, type InputShape } from './input.ts';
import { parsePattern, type Matcher } from './pattern.ts';

export interface Target extends InputShape {
  Id: string;
  Arn: string;
  RoleArn?: string;
  SqsParameters?: { MessageGroupId?: string };
  DeadLetterConfig?: { Arn?: string };
  RetryPolicy?: { MaximumRetryAttempts?: number; MaximumEventAgeInSeconds?: number };
}

export interface Rule {
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

export interface Bus {
  name: string;
  arn: string;
  rules: Map<string, Rule>;
  sent: BusEvent[];
}

export interface Registry {
  readonly buses: ReadonlyMap<string, Bus>;
  /** By name or ARN. @throws AwsError ResourceNotFoundException */
  bus(reference: Json): Bus;
  /** What the API does with buses, rules and targets. */
  readonly operations: Record<string, (input: Json) => Json>;
}

const TARGETS_LIMIT = 5;

export const ruleArn = (bus: string, name: string): string =>
  `arn:aws:events:${REGION}:${ACCOUNT}:rule/${bus === 'default' ? '' : `${bus}/`}${name}`;

/** With the default bus. */
export function createRegistry(): Registry {
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

  const operations: Registry['operations'] = {
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
  };

  return { buses, bus, operations };
}
