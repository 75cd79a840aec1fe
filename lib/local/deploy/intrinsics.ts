// What does a template value become once its intrinsic functions are answered?
import type { Json } from '../types.ts';
import { ACCOUNT, REGION } from '../types.ts';

/** What `Ref` and `Fn::GetAtt` answer for a deployed resource. */
export interface Outcome {
  ref: string;
  attributes?: Readonly<Record<string, string>>;
}

/** Everything a value may refer to. */
export interface Scope {
  stack: string;
  parameters: Readonly<Record<string, Json>>;
  /** Undefined for a condition that is not declared. */
  condition: (name: string) => boolean | undefined;
  mappings: Readonly<Record<string, Json>>;
  resources: ReadonlyMap<string, Outcome>;
  exports: ReadonlyMap<string, Json>;
}

const PSEUDO: Readonly<Record<string, (scope: Scope) => Json>> = {
  'AWS::AccountId': () => ACCOUNT,
  'AWS::Region': () => REGION,
  'AWS::Partition': () => 'aws',
  'AWS::URLSuffix': () => 'amazonaws.com',
  'AWS::NoValue': () => undefined,
  'AWS::StackName': ({ stack }) => stack,
  'AWS::StackId': ({ stack }) =>
    `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stack}/00000000-0000-0000-0000-000000000000`,
};

const isRecord = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{ "Fn::X": argument }` has one member and nothing beside it. */
function intrinsic(value: Record<string, Json>): [string, Json] | undefined {
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length !== 1 || first === undefined) return undefined;
  return first[0] === 'Ref' || first[0].startsWith('Fn::') || first[0] === 'Condition' ? first : undefined;
}

function reference(name: string, scope: Scope): Json {
  const pseudo = PSEUDO[name];
  if (pseudo !== undefined) return pseudo(scope);
  if (name in scope.parameters) return scope.parameters[name];
  const outcome = scope.resources.get(name);
  if (outcome === undefined) throw new Error(`Ref to ${name}, which the template does not declare`);
  return outcome.ref;
}

function attribute(name: string, path: string, scope: Scope): Json {
  const outcome = scope.resources.get(name);
  if (outcome === undefined) throw new Error(`Fn::GetAtt of ${name}, which the template does not declare`);
  const value = outcome.attributes?.[path];
  if (value === undefined) throw new Error(`Fn::GetAtt ${name}.${path} is not supported`);
  return value;
}

function substitute(argument: Json, scope: Scope): string {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  return String(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal !== '') return `\${${name}}`;
    if (name in variables) return String(evaluate(variables[name], scope));
    const dot = name.indexOf('.');
    return String(
      dot === -1 ? reference(name, scope) : attribute(name.slice(0, dot), name.slice(dot + 1), scope),
    );
  });
}

function condition(name: string, scope: Scope): boolean {
  const value = scope.condition(name);
  if (value === undefined) throw new Error(`condition ${name} is not declared`);
  return value;
}

const FUNCTIONS: Readonly<Record<string, (argument: Json, scope: Scope) => Json>> = {
  Ref: (name, scope) => reference(name, scope),
  Condition: (name, scope) => condition(name, scope),
  'Fn::GetAtt': (argument, scope) => {
    const [name, ...path] = typeof argument === 'string' ? argument.split('.') : argument;
    return attribute(name, path.join('.'), scope);
  },
  'Fn::Sub': substitute,
  'Fn::Join': ([separator, parts], scope) => evaluate(parts, scope).join(separator),
  'Fn::Select': ([index, from], scope) => {
    const chosen = evaluate(from, scope)[Number(evaluate(index, scope))];
    if (chosen === undefined) throw new Error(`Fn::Select has no element ${index}`);
    return chosen;
  },
  'Fn::Split': ([separator, text], scope) => String(evaluate(text, scope)).split(separator),
  'Fn::If': ([name, yes, no], scope) => evaluate(condition(name, scope) ? yes : no, scope),
  'Fn::Equals': (sides, scope) => {
    const [left, right] = evaluate(sides, scope);
    return String(left) === String(right);
  },
  'Fn::And': (sides, scope) => evaluate(sides, scope).every((side: Json) => side === true),
  'Fn::Or': (sides, scope) => evaluate(sides, scope).some((side: Json) => side === true),
  'Fn::Not': ([side], scope) => evaluate(side, scope) !== true,
  'Fn::FindInMap': (argument, scope) => {
    const [map, top, second] = evaluate(argument, scope);
    const found = scope.mappings[map]?.[top]?.[second];
    if (found === undefined) throw new Error(`Fn::FindInMap has no ${map}.${top}.${second}`);
    return found;
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = evaluate(argument, scope);
    if (!scope.exports.has(name))
      throw new Error(`Fn::ImportValue of ${name}, which no earlier stack exports`);
    return scope.exports.get(name);
  },
};

/**
 * Answers every intrinsic function in a value. Members that become `AWS::NoValue` are left out.
 * @throws Error for an unsupported function or a reference to something unknown.
 */
export function evaluate(value: Json, scope: Scope): Json {
  if (Array.isArray(value)) {
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== undefined);
  }
  if (!isRecord(value)) return value;
  const call = intrinsic(value);
  if (call !== undefined && !(call[0] === 'Condition' && typeof call[1] !== 'string')) {
    const answer = FUNCTIONS[call[0]];
    if (answer === undefined) throw new Error(`the intrinsic function ${call[0]} is not supported`);
    return answer(call[1], scope);
  }
  const members = Object.entries(value).map(([name, member]) => [name, evaluate(member, scope)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

/** Names that a value refers to by Ref, GetAtt or Sub: what must be deployed before it. */
export function references(value: Json, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (isRecord(value)) {
    const call = intrinsic(value);
    if (call?.[0] === 'Ref') found.add(call[1]);
    else if (call?.[0] === 'Fn::GetAtt') {
      found.add(Array.isArray(call[1]) ? call[1][0] : String(call[1]).split('.')[0]);
    } else {
      if (call?.[0] === 'Fn::Sub') {
        const [text, variables] = Array.isArray(call[1]) ? call[1] : [call[1], {}];
        for (const [, name = ''] of String(text).matchAll(/\$\{([^!}][^}]*)\}/g)) {
          if (!Object.hasOwn(variables, name)) found.add(name.split('.')[0] ?? name);
        }
      }
      for (const member of Object.values(value)) references(member, found);
    }
  }
  return found;
}
