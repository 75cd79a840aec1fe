// Which expressions can be answered without running JSONata, and with exactly the same answer?

/** What an expression may read: the variables in scope and `$states`. */
export interface Bindings {
  variables: Readonly<Record<string, unknown>>;
  states: Readonly<Record<string, unknown>>;
}

/** Returned when the values met are outside what the fast path answers exactly. */
export const FALLBACK: unique symbol = Symbol('fallback');

export type Fast = (bindings: Bindings) => unknown;

/** A node of `jsonata(...).ast()`; its shape depends on `type`. */
export type AstNode = Readonly<Record<string, unknown>> & { type: string; value?: unknown };

const onlyHas = (node: AstNode, ...names: string[]) =>
  Object.keys(node).every((key) => key === 'type' || key === 'position' || names.includes(key));

// '' and '$' are the context and the root.
const isPlainName = (name: unknown): name is string =>
  typeof name === 'string' && name !== '' && name !== '$' && !(name in Object.prototype);

const DECIMAL = /^-?[0-9]{1,15}(\.[0-9]{1,9})?$/;

function lookUp(name: string): Fast {
  if (name === 'states') return (b) => b.states;
  return (b) => (Object.hasOwn(b.variables, name) ? b.variables[name] : FALLBACK);
}

/** `$a.b.c`: an array on the way means sequences, which are JSONata's business; one at the end is the value itself. */
function path(steps: readonly AstNode[]): Fast | undefined {
  const [first, ...rest] = steps;
  if (first?.type !== 'variable' || !onlyHas(first, 'value') || !isPlainName(first.value)) return undefined;
  const names: string[] = [];
  for (const step of rest) {
    if (step.type !== 'name' || !onlyHas(step, 'value') || !isPlainName(step.value)) return undefined;
    names.push(step.value);
  }
  const root = lookUp(first.value);
  return (b) => {
    let value = root(b);
    if (value === FALLBACK) return FALLBACK;
    for (const name of names) {
      if (value === null || typeof value !== 'object') return undefined;
      if (Array.isArray(value)) return FALLBACK;
      value = (value as Record<string, unknown>)[name];
    }
    return value;
  };
}

function objectConstructor(pairs: readonly (readonly [AstNode, AstNode])[]): Fast | undefined {
  const keys: string[] = [];
  const values: Fast[] = [];
  for (const [key, node] of pairs) {
    const value = compileFast(node);
    if (key.type !== 'string' || !onlyHas(key, 'value') || !isPlainName(key.value) || value === undefined)
      return undefined;
    if (keys.includes(key.value)) return undefined;
    keys.push(key.value);
    values.push(value);
  }
  return (b) => {
    const result: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i += 1) {
      const value = values[i]!(b);
      if (value === FALLBACK) return FALLBACK;
      if (value !== undefined) result[keys[i]!] = value;
    }
    return result;
  };
}

/** An array among the members would be flattened; everything else is kept in order. */
function arrayConstructor(nodes: readonly AstNode[]): Fast | undefined {
  const members = nodes.map(compileFast);
  if (members.some((member) => member === undefined)) return undefined;
  return (b) => {
    const result: unknown[] = [];
    for (const member of members) {
      const value = member!(b);
      if (value === FALLBACK || Array.isArray(value)) return FALLBACK;
      if (value !== undefined) result.push(value);
    }
    return result;
  };
}

function text(value: unknown): string | typeof FALLBACK {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) < 1e15
    ? String(value === 0 ? 0 : value)
    : FALLBACK;
}

const isScalar = (value: unknown) => value === null || typeof value !== 'object';
const comparable = (a: unknown, b: unknown) =>
  (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');

const OPERATORS: Readonly<Record<string, (left: unknown, right: unknown) => unknown>> = {
  '&': (l, r) => {
    const left = text(l);
    const right = text(r);
    return left === FALLBACK || right === FALLBACK ? FALLBACK : left + right;
  },
  '=': (l, r) =>
    l === undefined || r === undefined ? false : isScalar(l) && isScalar(r) ? l === r : FALLBACK,
  '!=': (l, r) =>
    l === undefined || r === undefined ? false : isScalar(l) && isScalar(r) ? l !== r : FALLBACK,
  '<': (l, r) => (comparable(l, r) ? (l as number) < (r as number) : FALLBACK),
  '<=': (l, r) => (comparable(l, r) ? (l as number) <= (r as number) : FALLBACK),
  '>': (l, r) => (comparable(l, r) ? (l as number) > (r as number) : FALLBACK),
  '>=': (l, r) => (comparable(l, r) ? (l as number) >= (r as number) : FALLBACK),
  '+': (l, r) => arithmetic(l, r, (a, b) => a + b),
  '-': (l, r) => arithmetic(l, r, (a, b) => a - b),
  '*': (l, r) => arithmetic(l, r, (a, b) => a * b),
};

function arithmetic(l: unknown, r: unknown, apply: (a: number, b: number) => number): unknown {
  if (typeof l !== 'number' || typeof r !== 'number') return FALLBACK;
  const result = apply(l, r);
  return Number.isFinite(result) ? result : FALLBACK;
}

function binary(node: AstNode): Fast | undefined {
  const left = compileFast(node['lhs'] as AstNode);
  const right = compileFast(node['rhs'] as AstNode);
  if (left === undefined || right === undefined) return undefined;
  if (node.value === 'and' || node.value === 'or') {
    const decided = node.value === 'or';
    return (b) => {
      const l = left(b);
      if (typeof l !== 'boolean') return FALLBACK;
      if (l === decided) return decided;
      const r = right(b);
      return typeof r === 'boolean' ? r : FALLBACK;
    };
  }
  const operator = OPERATORS[String(node.value)];
  if (operator === undefined) return undefined;
  return (b) => {
    const l = left(b);
    if (l === FALLBACK) return FALLBACK;
    const r = right(b);
    return r === FALLBACK ? FALLBACK : operator(l, r);
  };
}

/** `$exists(…)`, and `$number("60")`, which is how a definition turns a substitution into a number. */
function functionCall(node: AstNode): Fast | undefined {
  const procedure = node['procedure'] as AstNode;
  const given = node['arguments'] as AstNode[];
  const argument = given.length === 1 ? given[0]! : undefined;
  if (argument === undefined || procedure.type !== 'variable' || !onlyHas(procedure, 'value'))
    return undefined;
  const value = compileFast(argument);
  const name = procedure.value;
  if (name === 'exists' && value !== undefined && argument.type !== 'value')
    return (b) => {
      if (Object.hasOwn(b.variables, name)) return FALLBACK;
      const found = value(b);
      return found === FALLBACK ? FALLBACK : found !== undefined;
    };
  if (name !== 'number' || argument.type !== 'string' || !DECIMAL.test(String(argument.value)))
    return undefined;
  const number = Number(argument.value);
  return (b) => (Object.hasOwn(b.variables, name) ? FALLBACK : number);
}

/** `a ? b : c` and `a ? b`, where a is a boolean. */
function condition(node: AstNode): Fast | undefined {
  const test = compileFast(node['condition'] as AstNode);
  const then = compileFast(node['then'] as AstNode);
  const otherwise = node['else'] === undefined ? () => undefined : compileFast(node['else'] as AstNode);
  if (test === undefined || then === undefined || otherwise === undefined) return undefined;
  return (b) => {
    const met = test(b);
    return typeof met === 'boolean' ? (met ? then(b) : otherwise(b)) : FALLBACK;
  };
}

/**
 * Compiles variable paths, literals, constructors, scalar operators and conditions into a closure whose answer, when it is not
 * FALLBACK, equals JSONata 2.0.6's on plain JSON values; undefined when the expression holds anything else.
 */
export function compileFast(node: AstNode): Fast | undefined {
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value':
      return onlyHas(node, 'value') ? () => node.value : undefined;
    case 'variable':
      return onlyHas(node, 'value') ? path([node]) : undefined;
    case 'path':
      return onlyHas(node, 'steps') ? path(node['steps'] as AstNode[]) : undefined;
    case 'binary':
      return onlyHas(node, 'value', 'lhs', 'rhs') ? binary(node) : undefined;
    case 'block': {
      const [only, ...more] = node['expressions'] as AstNode[];
      return onlyHas(node, 'expressions') && only !== undefined && more.length === 0
        ? compileFast(only)
        : undefined;
    }
    case 'condition':
      return onlyHas(node, 'condition', 'then', 'else') ? condition(node) : undefined;
    case 'function':
      return onlyHas(node, 'value', 'arguments', 'procedure') ? functionCall(node) : undefined;
    case 'unary':
      if (node.value === '{' && onlyHas(node, 'value', 'lhs'))
        return objectConstructor(node['lhs'] as [AstNode, AstNode][]);
      if (node.value === '[' && onlyHas(node, 'value', 'expressions'))
        return arrayConstructor(node['expressions'] as AstNode[]);
      return undefined;
    default:
      return undefined;
  }
}
