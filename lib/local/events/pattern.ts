// Does an event match a rule's pattern?
import { AwsError, type Json } from '../types.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
export type Matcher = (event: Json) => boolean;

type Scalar = string | number | boolean | null;
type Test = (value: Scalar) => boolean;

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function invalid(reason: string): never {
  throw new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);
}

const text = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : invalid(`${what} match pattern must be a string`);

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');

/** `*` is any run of characters; `\*` and `\\` are literal. */
function wildcard(pattern: string): RegExp {
  let source = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index]!;
    if (character === '*') {
      if (pattern[index + 1] === '*') invalid('Consecutive wildcard characters');
      source += '[^]*';
      continue;
    }
    if (character === '\\') {
      const escaped = pattern[(index += 1)];
      if (escaped !== '*' && escaped !== '\\') return invalid(`Invalid escape character at pos ${index}`);
      source += literal(escaped);
      continue;
    }
    source += literal(character);
  }
  return new RegExp(`^${source}$`);
}

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

function numeric(terms: unknown): Test {
  if (!Array.isArray(terms) || terms.length === 0 || terms.length % 2 !== 0 || terms.length > 4) {
    invalid('Value of numeric must be an array of operators and numbers');
  }
  const comparisons = Array.from({ length: terms.length / 2 }, (_, index) => {
    const compare = COMPARE[String(terms[2 * index])];
    const bound: unknown = terms[2 * index + 1];
    if (compare === undefined) return invalid(`Unrecognized numeric range operator: ${terms[2 * index]}`);
    if (typeof bound !== 'number') return invalid('Value of numeric must be a number');
    return (value: number) => compare(value, bound);
  });
  return (value) => typeof value === 'number' && comparisons.every((holds) => holds(value));
}

/** The address as an integer and its width in bits; undefined when it is none. */
function address(value: string): { bits: 32 | 128; number: bigint } | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(value)) {
    const parts = value.split('.').map(Number);
    if (parts.some((part) => part > 255)) return undefined;
    return { bits: 32, number: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  if (!/^[0-9a-f:]+$/i.test(value) || !value.includes(':')) return undefined;
  const [head = '', tail, more] = value.split('::');
  if (more !== undefined) return undefined;
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = 8 - groups(head).length - groups(tail ?? '').length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail ?? '')];
  if (all.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { bits: 128, number: all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n) };
}

function cidr(block: string): Test {
  const [network = '', prefix = ''] = block.split('/');
  const base = address(network);
  const length = Number(prefix);
  if (base === undefined || !/^\d+$/.test(prefix) || length > base.bits)
    return invalid(`Malformed CIDR, ${block}`);
  const shift = BigInt(base.bits - length);
  return (value) => {
    const found = typeof value === 'string' ? address(value) : undefined;
    return found?.bits === base.bits && found.number >> shift === base.number >> shift;
  };
}

const ignoringCase = (wanted: string): Test => {
  const lower = wanted.toLowerCase();
  return (value) => typeof value === 'string' && value.toLowerCase() === lower;
};

function affix(kind: 'prefix' | 'suffix', wanted: unknown): Test {
  if (isObject(wanted)) {
    const lower = text(wanted['equals-ignore-case'], kind).toLowerCase();
    return (value) =>
      typeof value === 'string' &&
      (kind === 'prefix' ? value.toLowerCase().startsWith(lower) : value.toLowerCase().endsWith(lower));
  }
  const part = text(wanted, kind);
  return (value) =>
    typeof value === 'string' && (kind === 'prefix' ? value.startsWith(part) : value.endsWith(part));
}

function operator(kind: string, wanted: unknown): Test {
  switch (kind) {
    case 'prefix':
    case 'suffix':
      return affix(kind, wanted);
    case 'equals-ignore-case':
      return ignoringCase(text(wanted, kind));
    case 'wildcard': {
      const expression = wildcard(text(wanted, kind));
      return (value) => typeof value === 'string' && expression.test(value);
    }
    case 'numeric':
      return numeric(wanted);
    case 'cidr':
      return cidr(text(wanted, kind));
    case 'anything-but':
      return anythingBut(wanted);
    default:
      return invalid(`Unrecognized match type ${kind}`);
  }
}

function anythingBut(wanted: unknown): Test {
  const entries: unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  if (entries.length === 0) invalid('Inside anything but list, start|null|boolean is not supported.');
  if (!isObject(wanted)) {
    if (entries.some((entry) => typeof entry !== 'string' && typeof entry !== 'number')) {
      invalid('Inside anything but list, only strings or only numbers are supported.');
    }
    return (value) => !entries.includes(value);
  }
  const [kind, ...others] = Object.keys(wanted);
  if (kind === undefined || others.length > 0) return invalid('Only one key allowed in match expression');
  if (!['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(kind)) {
    invalid(`Unsupported anything-but pattern: ${kind}`);
  }
  const listed: unknown = wanted[kind];
  const tests = (Array.isArray(listed) ? listed : [listed]).map((entry: unknown) => operator(kind, entry));
  return (value) => !tests.some((test) => test(value));
}

/** The scalar leaves of a value, through nested arrays; objects are no leaves. */
function leaves(value: Json): Scalar[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  return isObject(value) || value === undefined ? [] : [value];
}

function leafMatcher(name: string, alternatives: Json[]): Matcher {
  if (alternatives.length === 0) invalid('Empty arrays are not allowed');
  const tests = alternatives.map((alternative): ((found: Scalar[]) => boolean) => {
    if (Array.isArray(alternative))
      return invalid(`Match value of ${name} must be String, number, true, false, or null`);
    if (!isObject(alternative)) return (found) => found.includes(alternative);
    const [kind, ...others] = Object.keys(alternative);
    if (kind === undefined || others.length > 0) return invalid('Only one key allowed in match expression');
    const wanted: unknown = alternative[kind];
    if (kind === 'exists') {
      if (typeof wanted !== 'boolean') return invalid('exists match pattern must be either true or false.');
      return (found) => found.length > 0 === wanted;
    }
    const test = operator(kind, wanted);
    return (found) => found.some(test);
  });
  return (event) => {
    const found = isObject(event) ? leaves(event[name]) : [];
    return tests.some((test) => test(found));
  };
}

function objectMatcher(pattern: Record<string, Json>): Matcher {
  const parts = Object.entries(pattern).map(([name, wanted]): Matcher => {
    if (name === '$or' && Array.isArray(wanted) && wanted.every(isObject)) {
      if (wanted.length < 2) invalid('There must have at least 2 Objects in $or relationship.');
      const alternatives = wanted.map(objectMatcher);
      return (event) => alternatives.some((matches) => matches(event));
    }
    if (Array.isArray(wanted)) return leafMatcher(name, wanted);
    if (!isObject(wanted)) return invalid(`"${name}" must be an object or an array`);
    if (Object.keys(wanted).length === 0) return invalid('Empty objects are not allowed');
    const inner = objectMatcher(wanted);
    return (event) => {
      const value: Json = isObject(event) ? event[name] : undefined;
      if (Array.isArray(value)) return value.some((element) => isObject(element) && inner(element));
      return inner(isObject(value) ? value : {});
    };
  });
  return (event) => parts.every((matches) => matches(event));
}

/** @throws AwsError InvalidEventPatternException */
export function compilePattern(pattern: Json): Matcher {
  if (!isObject(pattern)) return invalid('Filter is not an object');
  if (Object.keys(pattern).length === 0) return invalid('Empty objects are not allowed');
  return objectMatcher(pattern);
}

/** From a pattern's JSON text. @throws AwsError InvalidEventPatternException */
export function parsePattern(source: string): Matcher {
  let pattern: Json;
  try {
    pattern = JSON.parse(source);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
  return compilePattern(pattern);
}
