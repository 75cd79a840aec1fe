// Would AWS accept this definition, and can it be run here?
import { AwsError, type Json } from '../types.ts';
import type { Expressions } from './expression.ts';
import * as fields from './fields.ts';
import { parseResource } from './resource.ts';
import { checkDistributed } from './validate-map.ts';
import { checkValue, type Readable, type Report } from './validate-values.ts';

/** Bytes a definition may have (Step Functions quota, 1 MiB). */
const DEFINITION_LIMIT_BYTES = 1_048_576;
const NAME_LIMIT = 80;
const isObject = (value: unknown): value is Record<string, Json> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isCount = (value: unknown, least: number) => Number.isInteger(value) && (value as number) >= least;

/** Names in `allowed` are fine; JSONPath names get a sentence of their own. */
export function checkFields(raw: object, allowed: readonly string[], where: string, report: Report): void {
  for (const field of Object.keys(raw)) {
    if (allowed.includes(field)) continue;
    if (fields.JSONPATH_FIELDS.has(field) || field.endsWith('.$'))
      report(`The field '${field}' is JSONPath, which a JSONata state cannot use`, where);
    else report(`The field '${field}' is not supported here`, where);
  }
}

/**
 * Parses and checks a definition; gives the parsed document.
 * @throws AwsError InvalidDefinition naming every problem and its place.
 */
export function validateDefinition(
  text: string,
  type: 'STANDARD' | 'EXPRESS',
  expressions: Expressions,
): Json {
  const problems: string[] = [];
  const report: Report = (message, where) =>
    void problems.push(`SCHEMA_VALIDATION_FAILED: ${message} at ${where || '/'}`);
  const names = new Set<string>();
  const values = (value: Json, where: string, readable: Readable = []) =>
    checkValue(value, where, readable, expressions, report);

  function checkErrorEquals(rules: Json[], where: string): void {
    rules.forEach((rule, i) => {
      const at = `${where}[${i}]/ErrorEquals`;
      const errors = rule.ErrorEquals;
      if (!Array.isArray(errors) || errors.length === 0 || !errors.every((e) => typeof e === 'string'))
        return report('ErrorEquals must be a list of error names', at);
      if (errors.includes('States.ALL') && (errors.length > 1 || i < rules.length - 1))
        report('States.ALL must stand alone and in the last rule', at);
    });
  }

  function checkRetry(retry: Json, where: string): void {
    if (!Array.isArray(retry)) return report('Retry must be a list', where);
    checkErrorEquals(retry, where);
    retry.forEach((rule: Json, i: number) => {
      const at = `${where}[${i}]`;
      checkFields(rule, fields.RETRIER_FIELDS, at, report);
      const { IntervalSeconds: interval, MaxAttempts: most, BackoffRate: rate, MaxDelaySeconds: cap } = rule;
      if (interval !== undefined && !isCount(interval, 1))
        report('IntervalSeconds must be a positive integer', at);
      if (most !== undefined && !isCount(most, 0)) report('MaxAttempts must be an integer of at least 0', at);
      if (rate !== undefined && !(typeof rate === 'number' && rate >= 1))
        report('BackoffRate must be at least 1', at);
      if (cap !== undefined && !(isCount(cap, 1) && cap > (interval ?? 1)))
        report('MaxDelaySeconds must be an integer greater than IntervalSeconds', at);
      if (rule.JitterStrategy !== undefined && !['FULL', 'NONE'].includes(rule.JitterStrategy))
        report('JitterStrategy must be FULL or NONE', at);
    });
  }

  function checkAssign(assign: Json, where: string, readable: Readable, outer: ReadonlySet<string>): void {
    if (!isObject(assign)) return report('Assign must be an object', where);
    for (const name of Object.keys(assign)) {
      if (!/^[\p{ID_Start}_][\p{ID_Continue}]{0,79}$/u.test(name) || name === 'states')
        report(`'${name}' is not a variable name`, where);
      if (outer.has(name))
        report(`The variable '${name}' belongs to an outer scope and cannot be assigned here`, where);
    }
    values(assign, where, readable);
  }

  function checkExit(raw: Json, where: string, readable: Readable, outer: ReadonlySet<string>): void {
    if (raw.Assign !== undefined) checkAssign(raw.Assign, `${where}/Assign`, readable, outer);
    if (raw.Output !== undefined) values(raw.Output, `${where}/Output`, readable);
  }

  function checkTask(raw: Json, where: string): void {
    try {
      const { pattern } = parseResource(String(raw.Resource));
      if (type === 'EXPRESS' && pattern !== 'request')
        report('Express machines cannot wait for tokens or children', where);
    } catch (error) {
      report((error as Error).message, `${where}/Resource`);
    }
    const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = raw;
    for (const [field, value] of Object.entries({ TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat }))
      if (typeof value === 'number' && !isCount(value, 1))
        report(`${field} must be a positive integer`, where);
    if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout)
      report('HeartbeatSeconds must be smaller than TimeoutSeconds', where);
  }

  function checkChoice(raw: Json, where: string, outer: ReadonlySet<string>): void {
    if (!Array.isArray(raw.Choices) || raw.Choices.length === 0)
      return report('Choices must be a list with at least one rule', where);
    raw.Choices.forEach((rule: Json, i: number) => {
      const at = `${where}/Choices[${i}]`;
      checkFields(rule, fields.CHOICE_FIELDS, at, report);
      const dynamic = typeof rule.Condition === 'string' && rule.Condition.startsWith('{%');
      if (!dynamic && typeof rule.Condition !== 'boolean')
        report('Condition must be a JSONata expression', at);
      values(rule.Condition, `${at}/Condition`);
      if (typeof rule.Next !== 'string') report('A choice rule needs Next', at);
      checkExit(rule, at, [], outer);
    });
  }

  function checkMap(raw: Json, where: string, variables: ReadonlySet<string>): void {
    const processor = raw.ItemProcessor;
    if (!isObject(processor)) return report('A Map needs an ItemProcessor', where);
    const distributed = processor['ProcessorConfig']?.Mode === 'DISTRIBUTED';
    if (distributed && type === 'EXPRESS') report('Express machines cannot have a Distributed Map', where);
    checkDistributed(raw, distributed, where, report);
    for (const field of ['Items', 'ItemSelector', 'MaxConcurrency', ...fields.DISTRIBUTED_FIELDS])
      if (raw[field] !== undefined) values(raw[field], `${where}/${field}`);
    const inner = distributed ? new Set<string>() : variables;
    checkScope(processor, `${where}/ItemProcessor`, fields.PROCESSOR_FIELDS, inner);
  }

  function checkState(
    name: string,
    raw: Json,
    where: string,
    scope: Json,
    outer: ReadonlySet<string>,
  ): string[] {
    if (name.length > NAME_LIMIT) report(`A state name has at most ${NAME_LIMIT} characters`, where);
    if (names.has(name)) report(`The state name '${name}' is used twice`, where);
    names.add(name);
    const allowed = isObject(raw) ? fields.STATE_FIELDS[String(raw['Type'])] : undefined;
    if (allowed === undefined) {
      report('The state has no known Type', where);
      return [];
    }
    checkFields(
      raw,
      raw.Type === 'Map' ? [...allowed, ...fields.DISTRIBUTED_FIELDS] : allowed,
      where,
      report,
    );
    if (raw.QueryLanguage !== undefined && raw.QueryLanguage !== 'JSONata')
      report('Only QueryLanguage JSONata is supported', where);
    const results: Readable = ['Task', 'Parallel', 'Map'].includes(raw.Type) ? ['result'] : [];
    checkExit(raw, where, results, outer);
    for (const field of [
      'Arguments',
      'TimeoutSeconds',
      'HeartbeatSeconds',
      'Seconds',
      'Timestamp',
      'Error',
      'Cause',
    ])
      if (raw[field] !== undefined) values(raw[field], `${where}/${field}`);
    if (raw.Retry !== undefined) checkRetry(raw.Retry, `${where}/Retry`);
    const catchers: Json[] = Array.isArray(raw.Catch) ? raw.Catch : [];
    if (raw.Catch !== undefined && !Array.isArray(raw.Catch)) report('Catch must be a list', where);
    checkErrorEquals(catchers, `${where}/Catch`);
    catchers.forEach((rule, i) => {
      checkFields(rule, fields.CATCHER_FIELDS, `${where}/Catch[${i}]`, report);
      checkExit(rule, `${where}/Catch[${i}]`, ['errorOutput'], outer);
    });
    if (raw.Type === 'Task') checkTask(raw, where);
    if (raw.Type === 'Choice') checkChoice(raw, where, outer);
    if (raw.Type === 'Wait' && (raw.Seconds === undefined) === (raw.Timestamp === undefined))
      report('A Wait needs either Seconds or Timestamp', where);
    const visible = new Set([...outer, ...assignedIn(scope)]);
    if (raw.Type === 'Map') checkMap(raw, where, visible);
    if (raw.Type === 'Parallel') {
      if (!Array.isArray(raw.Branches) || raw.Branches.length === 0)
        report('Branches must be a list with at least one branch', where);
      else
        raw.Branches.forEach((branch: Json, i: number) =>
          checkScope(branch, `${where}/Branches[${i}]`, fields.BRANCH_FIELDS, visible),
        );
    }
    if (
      ['Pass', 'Task', 'Wait', 'Parallel', 'Map'].includes(raw.Type) &&
      (raw.Next === undefined) === (raw.End !== true)
    )
      report('The state needs either Next or "End": true', where);
    const rules: Json[] = Array.isArray(raw.Choices) ? raw.Choices : [];
    return [raw.Next, raw.Default, ...[...rules, ...catchers].map((rule) => rule.Next)].filter(
      (target) => target !== undefined,
    );
  }

  function checkScope(
    scope: Json,
    where: string,
    allowed: readonly string[],
    outer: ReadonlySet<string>,
  ): void {
    checkFields(scope, allowed, where, report);
    if (!isObject(scope?.States) || Object.keys(scope.States).length === 0)
      return report('States must hold at least one state', where);
    const targets = new Map<string, string[]>();
    for (const [name, raw] of Object.entries<Json>(scope.States)) {
      const at = `${where}/States/${name}`;
      targets.set(name, checkState(name, raw, at, scope, outer));
      for (const target of targets.get(name)!)
        if (!Object.hasOwn(scope.States, target))
          report(`MISSING_TRANSITION_TARGET: there is no state '${target}'`, at);
    }
    if (!Object.hasOwn(scope.States, scope.StartAt))
      return report(
        `MISSING_TRANSITION_TARGET: there is no state '${String(scope.StartAt)}'`,
        `${where}/StartAt`,
      );
    const reached = new Set<string>([scope.StartAt]);
    for (const name of reached) for (const target of targets.get(name) ?? []) reached.add(target);
    for (const name of targets.keys())
      if (!reached.has(name)) report(`The state '${name}' cannot be reached`, `${where}/States/${name}`);
  }

  if (Buffer.byteLength(text) > DEFINITION_LIMIT_BYTES) report('The definition is larger than 1 MiB', '');
  let definition: Json;
  try {
    definition = JSON.parse(text);
  } catch (error) {
    report(`INVALID_JSON_DESCRIPTION: ${(error as Error).message}`, '');
  }
  if (definition !== undefined && !isObject(definition)) report('The definition must be an object', '');
  else if (definition !== undefined) {
    if (definition['QueryLanguage'] !== 'JSONata') report('Only QueryLanguage JSONata is supported', '');
    const limit: Json = definition['TimeoutSeconds'];
    if (limit !== undefined && !isCount(limit, 1)) report('TimeoutSeconds must be a positive integer', '');
    checkScope(definition, '', fields.MACHINE_FIELDS, new Set());
  }
  if (problems.length > 0)
    throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: '${problems.join(', ')}'`);
  return definition;
}

/** Variables that the states of a scope assign themselves (not those of scopes inside). */
function assignedIn(scope: Json): string[] {
  return Object.values<Json>(scope.States).flatMap((raw) =>
    [raw, ...(raw?.Choices ?? []), ...(raw?.Catch ?? [])].flatMap((exit: Json) =>
      Object.keys(exit?.Assign ?? {}),
    ),
  );
}
