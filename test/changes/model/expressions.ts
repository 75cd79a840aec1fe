// What do DynamoDB's expressions mean, as far as our repositories use them?

type Attributes = Record<string, unknown>;
interface Bound {
  item: Attributes | undefined;
  names: Record<string, string>;
  values: Attributes;
}
type Term = (bound: Bound) => unknown;
type Test = (bound: Bound) => boolean;

const compiled = new Map<string, Test>();
const TOKEN = /\s*(<=|>=|<>|[=<>(),.]|[#:]?[\w]+)/gy;

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`Not understood: ${text}`);
    found.push(match[1] as string);
  }
  return found;
}

/** A condition, key condition or filter. @throws Error for anything that our repositories do not use. */
export function holds(
  expression: string | undefined,
  item: Attributes | undefined,
  names: Record<string, string> | undefined,
  values: Attributes | undefined,
): boolean {
  if (expression === undefined) return true;
  let test = compiled.get(expression);
  if (test === undefined) {
    test = condition(expression);
    compiled.set(expression, test);
  }
  return test({ item, names: names ?? {}, values: values ?? {} });
}

function condition(expression: string): Test {
  const all = tokens(expression);
  let at = 0;
  const take = (expected?: string): string => {
    const token = all[at] ?? '';
    if (expected !== undefined && token !== expected)
      throw new Error(`${expected} is missing in ${expression}`);
    at += 1;
    return token;
  };
  const operand = (): Term => {
    const first = take();
    if (first.startsWith(':')) return ({ values }) => values[first];
    const path = [first];
    while (all[at] === '.') {
      take('.');
      path.push(take());
    }
    return ({ item, names }) =>
      path.reduce<unknown>(
        (value, part) =>
          (value as Attributes | undefined)?.[part.startsWith('#') ? (names[part] ?? part) : part],
        item,
      );
  };
  const simple = (): Test => {
    const word = all[at];
    if (word === '(') {
      take('(');
      const inner = any();
      take(')');
      return inner;
    }
    if (word === 'attribute_not_exists' || word === 'attribute_exists') {
      take();
      take('(');
      const value = operand();
      take(')');
      return (bound) => (value(bound) !== undefined) === (word === 'attribute_exists');
    }
    const left = operand();
    const operator = take();
    if (operator === 'IN') {
      take('(');
      const options = [operand()];
      while (all[at] === ',') {
        take(',');
        options.push(operand());
      }
      take(')');
      return (bound) => options.some((option) => option(bound) === left(bound));
    }
    const right = operand();
    if (operator === 'BETWEEN') {
      take('AND');
      const high = operand();
      return (bound) => compared('>=', left(bound), right(bound)) && compared('<=', left(bound), high(bound));
    }
    return (bound) => compared(operator, left(bound), right(bound));
  };
  const both = (): Test => {
    const parts = [simple()];
    while (all[at] === 'AND') {
      take('AND');
      parts.push(simple());
    }
    return (bound) => parts.every((part) => part(bound));
  };
  const any = (): Test => {
    const parts = [both()];
    while (all[at] === 'OR') {
      take('OR');
      parts.push(both());
    }
    return (bound) => parts.some((part) => part(bound));
  };
  const test = any();
  if (at !== all.length) throw new Error(`Not understood: ${expression}`);
  return test;
}

function compared(operator: string, left: unknown, right: unknown): boolean {
  if (operator === '=') return left !== undefined && left === right;
  if (operator === '<>') return left !== right;
  if (typeof left !== typeof right || left === undefined) return false;
  const [a, b] = [left as string, right as string];
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      throw new Error(`No comparison: ${operator}`);
  }
}

/** `SET a = :b, #c = if_not_exists(d, :e) REMOVE f`; a new object. @throws Error for anything else. */
export function updated(
  expression: string,
  before: Attributes,
  names: Record<string, string> = {},
  values: Attributes = {},
): Attributes {
  const after = { ...before };
  const nameOf = (token: string): string => (token.startsWith('#') ? (names[token] ?? token) : token);
  const valueOf = (token: string): unknown => (token.startsWith(':') ? values[token] : before[nameOf(token)]);
  for (const [, verb, body] of expression.matchAll(/(SET|REMOVE)\s+(.*?)(?=\s+(?:SET|REMOVE)\s|$)/gs)) {
    for (const part of (body as string).split(/,(?![^(]*\))/)) {
      if (verb === 'REMOVE') {
        delete after[nameOf(part.trim())];
        continue;
      }
      const match = /^\s*(#?\w+) = (?:if_not_exists\((#?\w+), (:\w+)\)|([#:]?\w+))\s*$/.exec(part);
      if (match === null) throw new Error(`Not understood: ${part}`);
      const [, target = '', perhaps, otherwise, plain] = match;
      const value =
        plain === undefined ? (valueOf(perhaps as string) ?? valueOf(otherwise as string)) : valueOf(plain);
      if (value !== undefined) after[nameOf(target)] = value;
    }
  }
  return after;
}
