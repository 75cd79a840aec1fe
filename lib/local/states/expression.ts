// What does a JSONata expression evaluate to, and how is an endless one stopped?
import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { EngineContext } from '../types.ts';
import { compileFast, FALLBACK, type AstNode, type Bindings } from './fast-path.ts';

/** Expression nodes one evaluation may visit before it is ended (about two seconds of work). */
const MAX_STEPS = 1_000_000;
/** Nodes entered and not left: nested calls, plus members of one literal array, which are evaluated side by side. */
const MAX_OPEN = 10_000;
/** After so many nodes the event loop gets a turn. */
const STEPS_PER_TURN = 20_000;
/** Entries `$range` may make, as States.ArrayRange. */
const MAX_RANGE = 1_000;
const ENTRY = Symbol.for('jsonata.__evaluate_entry') as unknown as string;
const EXIT = Symbol.for('jsonata.__evaluate_exit') as unknown as string;
// A name no expression can spell.
const METER = ' meter';

interface Meter {
  steps: number;
  open: number;
}

/** A compiled expression. The result is plain JSON, undefined for "nothing"; a promise only when JSONata had to run. */
export interface Expression {
  readonly ast: AstNode;
  evaluate(bindings: Bindings): unknown;
}

export interface Expressions {
  /** @throws the JSONata parse error, with `code` and `message`. */
  compile(source: string): Expression;
}

/** Every node of an expression tree, parents first. */
export function* astNodes(value: unknown): Generator<AstNode> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value) && typeof (value as AstNode).type === 'string') yield value as AstNode;
  for (const child of Object.values(value)) yield* astNodes(child);
}

/** JSONata arrays carry hidden sequence flags, and functions are no data. */
function plain(value: unknown): unknown {
  if (typeof value === 'function') throw new Error('The result is a function, which is not JSON');
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is not a JSON number`);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => plain(item) ?? null);
  if ('_jsonata_function' in value || '_jsonata_lambda' in value)
    throw new Error('The result is a function, which is not JSON');
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) copy[key] = plain(item);
  return copy;
}

/** Deterministic stream for `$random(seed)` (mulberry32). */
function seeded(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

/** A version 4 UUID from the given source of randomness. */
export function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16));
  hex[12] = 4;
  hex[16] = 8 + (hex[16]! % 4);
  const text = hex.map((digit) => digit.toString(16)).join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function range(first: number, last: number, step: number): number[] {
  if (![first, last, step].every(Number.isInteger) || step === 0)
    throw new Error('$range takes integers and a step other than zero');
  if (Math.floor((last - first) / step) >= MAX_RANGE)
    throw new Error(`$range makes at most ${MAX_RANGE} entries`);
  const out: number[] = [];
  for (let at = first; step > 0 ? at <= last : at >= last; at += step) out.push(at);
  return out;
}

function partition(items: unknown[], size: number): unknown[][] {
  if (!Number.isInteger(size) || size < 1) throw new Error('$partition takes a positive integer size');
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

function hash(content: unknown, algorithm: string): string {
  const name = HASHES[algorithm];
  if (name === undefined) throw new Error(`$hash knows ${Object.keys(HASHES).join(', ')}, not ${algorithm}`);
  return createHash(name)
    .update(typeof content === 'string' ? content : JSON.stringify(content))
    .digest('hex');
}

interface Focus {
  environment: { lookup(name: string): unknown };
}

/** Step Functions' own functions and clock; `$eval` is absent as in AWS. */
function equip(expression: jsonata.Expression, { clock, random }: Pick<EngineContext, 'clock' | 'random'>) {
  expression.registerFunction('partition', partition, '<an:a>');
  expression.registerFunction('range', range, '<nnn:a>');
  expression.registerFunction('hash', hash, '<xs:s>');
  expression.registerFunction('uuid', () => uuid(random), '<:s>');
  expression.registerFunction(
    'random',
    (seed?: number) => (seed === undefined ? random() : seeded(seed)),
    '<n?:n>',
  );
  expression.registerFunction('parse', (source: string) => JSON.parse(source) as unknown, '<s:x>');
  expression.registerFunction('millis', () => clock.now(), '<:n>');
  expression.registerFunction(
    'now',
    function now(this: Focus, picture?: string, zone?: string) {
      const fromMillis = this.environment.lookup('fromMillis') as {
        implementation: (ms: number, picture?: string, zone?: string) => string;
      };
      return fromMillis.implementation(clock.now(), picture, zone);
    } as () => string,
    '<s?s?:s>',
  );
  expression.assign('eval', undefined);
}

/** Counts what an evaluation does, gives the event loop a turn now and then, and ends it when it never would. */
function bound(expression: jsonata.Expression, clock: EngineContext['clock']) {
  const meterOf = (environment: Focus['environment']) => environment.lookup(METER) as Meter;
  expression.assign(ENTRY, async (_node: unknown, _input: unknown, environment: Focus['environment']) => {
    const meter = meterOf(environment);
    meter.steps += 1;
    meter.open += 1;
    if (meter.steps > MAX_STEPS) throw new Error('The evaluation took too long');
    if (meter.open > MAX_OPEN) throw new Error('The evaluation is nested too deeply');
    if (meter.steps % STEPS_PER_TURN !== 0) return;
    const done = clock.work('states: evaluating an expression');
    await new Promise((resolve) => setImmediate(resolve));
    done();
  });
  expression.assign(EXIT, (_node: unknown, _input: unknown, environment: Focus['environment']) => {
    meterOf(environment).open -= 1;
  });
}

/** Compiles each distinct source once. */
export function createExpressions(context: Pick<EngineContext, 'clock' | 'random'>): Expressions {
  const known = new Map<string, Expression>();

  function compile(source: string): Expression {
    const engine = jsonata(source);
    const ast = engine.ast() as unknown as AstNode;
    equip(engine, context);
    let canLoop = false;
    let groups = false;
    for (const node of astNodes(ast)) {
      canLoop ||= ['lambda', 'partial', 'transform'].includes(node.type) || node.value === '..';
      groups ||= 'group' in node;
    }
    if (canLoop) bound(engine, context.clock);
    const fast = compileFast(ast);

    async function slow({ variables, states }: Bindings): Promise<unknown> {
      const bindings: Record<string, unknown> = { ...variables, states };
      // Grouping writes into an empty array that it is given, so it gets its own copy.
      const own = groups ? (JSON.parse(JSON.stringify(bindings)) as Record<string, unknown>) : bindings;
      own[METER] = { steps: 0, open: 0 } satisfies Meter;
      return plain(await engine.evaluate(undefined, own));
    }

    if (fast === undefined) return { ast, evaluate: slow };
    return {
      ast,
      evaluate(bindings) {
        const value = fast(bindings);
        return value === FALLBACK ? slow(bindings) : value;
      },
    };
  }

  return {
    compile(source) {
      let expression = known.get(source);
      if (expression === undefined) known.set(source, (expression = compile(source)));
      return expression;
    },
  };
}
