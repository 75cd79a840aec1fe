// What does EventBridge Scheduler answer, and when does it call?
import { deliver, type DeliveryContext } from '../events/delivery.ts';
import { ACCOUNT, AwsError, REGION, type Engine, type Json, type Timer } from '../types.ts';
import { parseExpression, type Timetable } from './expression.ts';

export interface SchedulerEngine extends Engine {
  /** Fires a schedule at once, as if its time had come. @throws AwsError ResourceNotFoundException */
  runNow(scheduleName: string): void;
  /** When the schedule fires next, epoch milliseconds. */
  nextRun(scheduleName: string): number | undefined;
}

interface Schedule {
  input: Json;
  arn: string;
  group: string;
  name: string;
  timetable: Timetable;
  createdMs: number;
  modifiedMs: number;
  nextMs: number | undefined;
  timer: Timer | undefined;
}

const DEFAULT_GROUP = 'default';
const scheduleArn = (group: string, name: string): string =>
  `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule/${group}/${name}`;
const groupArn = (name: string): string => `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/${name}`;
const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const groupOf = (input: Json): string => String(input.GroupName ?? DEFAULT_GROUP);

/** Timestamps come as epoch seconds or ISO text. */
function instant(value: Json): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value * 1000 : Date.parse(String(value));
}

function invalid(message: string): never {
  throw new AwsError('ValidationException', message);
}

function checkTarget(target: Json): void {
  if (typeof target?.Arn !== 'string' || typeof target.RoleArn !== 'string')
    invalid('Target needs Arn and RoleArn.');
  const service = target.Arn.split(':')[2];
  if (!['lambda', 'sqs', 'states', 'events'].includes(service)) {
    invalid(`Provided Arn ${target.Arn} is not a supported target here.`);
  }
  const { Source, DetailType } = target.EventBridgeParameters ?? {};
  if (service === 'events' && (Source === undefined || DetailType === undefined)) {
    invalid('EventBridgeParameters needs Source and DetailType.');
  }
  if (service === 'states' && target.Input !== undefined) {
    try {
      JSON.parse(target.Input);
    } catch {
      invalid('Target Input must be valid JSON.');
    }
  }
}

/** EventBridge Scheduler with the default group. Recurring schedules never keep the cloud from settling. */
export function createScheduler(context: DeliveryContext): SchedulerEngine {
  const { clock, random } = context;
  const groups = new Map<string, { createdMs: number; schedules: Map<string, Schedule> }>();
  groups.set(DEFAULT_GROUP, { createdMs: clock.now(), schedules: new Map() });

  function group(name: string) {
    const found = groups.get(name);
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', `Schedule group ${name} does not exist.`, 404);
    return found;
  }

  function schedule(name: string, groupName: string): Schedule {
    const found = group(groupName).schedules.get(name);
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
    return found;
  }

  function anyGroup(name: string): Schedule {
    for (const { schedules } of groups.values()) {
      const found = schedules.get(name);
      if (found !== undefined) return found;
    }
    throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
  }

  function remove(found: Schedule) {
    found.timer?.cancel();
    groups.get(found.group)?.schedules.delete(found.name);
  }

  function newId(): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  function fire(found: Schedule, scheduledMs: number) {
    const { Target: target } = found.input;
    const principal = { kind: 'role', roleArn: String(target.RoleArn) } as const;
    const executionId = newId();
    const scheduledTime = isoSeconds(scheduledMs);
    const standard = JSON.stringify({
      version: '0',
      id: executionId,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: ACCOUNT,
      time: scheduledTime,
      region: REGION,
      resources: [found.arn],
      detail: '{}',
    });
    const payload = (attempt: number): string =>
      String(target.Input ?? standard)
        .replaceAll('<aws.scheduler.scheduled-time>', scheduledTime)
        .replaceAll('<aws.scheduler.execution-id>', executionId)
        .replaceAll('<aws.scheduler.schedule-arn>', found.arn)
        .replaceAll('<aws.scheduler.attempt-number>', String(attempt));
    const parameters = target.EventBridgeParameters;
    deliver(context, {
      targetArn: target.Arn,
      principal,
      payload,
      ...(target.SqsParameters === undefined ? {} : { sqs: target.SqsParameters }),
      ...(parameters === undefined
        ? {}
        : { event: { source: parameters.Source, detailType: parameters.DetailType } }),
      maximumRetries: target.RetryPolicy?.MaximumRetryAttempts ?? 185,
      maximumAgeSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
      deadLetterArn: target.DeadLetterConfig?.Arn,
      deadLetterPrincipal: principal,
      origin: {
        SCHEDULE_ARN: found.arn,
        TARGET_ARN: target.Arn,
        EXECUTION_ID: executionId,
        SCHEDULED_TIME: scheduledTime,
        IS_PAYLOAD_TRUNCATED: 'false',
      },
    });
  }

  function arm(found: Schedule, afterMs: number) {
    found.timer?.cancel();
    found.timer = undefined;
    found.nextMs = undefined;
    if (found.input.State === 'DISABLED') return;
    const startMs = instant(found.input.StartDate) ?? -Infinity;
    const endMs = instant(found.input.EndDate) ?? Infinity;
    const nextMs = found.timetable.next(Math.max(afterMs, startMs - 1));
    if (nextMs === undefined || nextMs > endMs) {
      if (found.input.ActionAfterCompletion === 'DELETE') remove(found);
      return;
    }
    found.nextMs = nextMs;
    found.timer = clock.at(
      nextMs,
      () => {
        fire(found, nextMs);
        arm(found, nextMs);
      },
      { idle: !found.timetable.once },
    );
  }

  function build(input: Json, createdMs: number): Schedule {
    const name = String(input.Name);
    const groupName = groupOf(input);
    group(groupName);
    if (!/^[0-9a-zA-Z-_.]{1,64}$/.test(name)) invalid(`Invalid schedule name ${name}.`);
    if (input.FlexibleTimeWindow?.Mode !== 'OFF')
      invalid('Only FlexibleTimeWindow Mode OFF is supported here.');
    checkTarget(input.Target);
    const startMs = instant(input.StartDate);
    return {
      input: { State: 'ENABLED', ScheduleExpressionTimezone: 'UTC', ActionAfterCompletion: 'NONE', ...input },
      arn: scheduleArn(groupName, name),
      group: groupName,
      name,
      timetable: parseExpression(
        String(input.ScheduleExpression),
        String(input.ScheduleExpressionTimezone ?? 'UTC'),
        startMs ?? createdMs,
        startMs !== undefined,
      ),
      createdMs,
      modifiedMs: clock.now(),
      nextMs: undefined,
      timer: undefined,
    };
  }

  function put(built: Schedule): Json {
    group(built.group).schedules.set(built.name, built);
    arm(built, clock.now());
    return { ScheduleArn: built.arn };
  }

  const operations: Record<string, (input: Json) => Json> = {
    CreateSchedule(input) {
      const built = build(input, clock.now());
      if (group(built.group).schedules.has(built.name)) {
        throw new AwsError('ConflictException', `Schedule ${built.name} already exists.`, 409);
      }
      return put(built);
    },
    UpdateSchedule(input) {
      const existing = schedule(String(input.Name), groupOf(input));
      const built = build(input, existing.createdMs);
      existing.timer?.cancel();
      return put(built);
    },
    GetSchedule(input) {
      const found = schedule(String(input.Name), groupOf(input));
      const { ClientToken: _omitted, ...shown } = found.input;
      return {
        ...shown,
        Arn: found.arn,
        GroupName: found.group,
        CreationDate: found.createdMs / 1000,
        LastModificationDate: found.modifiedMs / 1000,
      };
    },
    ListSchedules(input) {
      const names = input.GroupName === undefined ? [...groups.keys()] : [groupOf(input)];
      return {
        Schedules: names
          .flatMap((name) => [...group(name).schedules.values()])
          .filter(({ name }) => name.startsWith(input.NamePrefix ?? ''))
          .filter(({ input: { State } }) => input.State === undefined || State === input.State)
          .map((found) => ({
            Arn: found.arn,
            Name: found.name,
            GroupName: found.group,
            State: found.input.State,
            Target: { Arn: found.input.Target.Arn },
            CreationDate: found.createdMs / 1000,
            LastModificationDate: found.modifiedMs / 1000,
          })),
      };
    },
    DeleteSchedule(input) {
      remove(schedule(String(input.Name), groupOf(input)));
      return {};
    },
    CreateScheduleGroup(input) {
      const name = String(input.Name);
      if (groups.has(name))
        throw new AwsError('ConflictException', `Schedule group ${name} already exists.`, 409);
      groups.set(name, { createdMs: clock.now(), schedules: new Map() });
      return { ScheduleGroupArn: groupArn(name) };
    },
    GetScheduleGroup(input) {
      const name = String(input.Name);
      return { Name: name, Arn: groupArn(name), State: 'ACTIVE', CreationDate: group(name).createdMs / 1000 };
    },
    ListScheduleGroups: () => ({
      ScheduleGroups: [...groups.keys()].map((name) => ({
        Name: name,
        Arn: groupArn(name),
        State: 'ACTIVE',
      })),
    }),
    DeleteScheduleGroup(input) {
      const name = String(input.Name);
      if (name === DEFAULT_GROUP) invalid('The default group cannot be deleted.');
      for (const found of group(name).schedules.values()) remove(found);
      groups.delete(name);
      return {};
    },
  };

  return {
    service: 'scheduler',
    authorization(operation, input) {
      const action = `scheduler:${operation}`;
      if (operation.startsWith('List')) return [{ action, resource: '*' }];
      if (operation.endsWith('Group')) return [{ action, resource: groupArn(String(input.Name)) }];
      const schedules = { action, resource: scheduleArn(groupOf(input), String(input.Name)) };
      if (operation !== 'CreateSchedule' && operation !== 'UpdateSchedule') return [schedules];
      const passed = {
        action: 'iam:PassRole',
        resource: String(input.Target?.RoleArn),
        conditions: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
      };
      return [schedules, passed];
    },
    async call(operation, input) {
      const run = operations[operation];
      if (run === undefined) {
        throw new AwsError('UnknownOperationException', `Scheduler ${operation} is not supported`, 404);
      }
      return run(input);
    },
    runNow: (name) => fire(anyGroup(name), clock.now()),
    nextRun: (name) => anyGroup(name).nextMs,
  };
}
