import * as fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../../lib/local/clock.ts';
import { createExpressions } from '../../../lib/local/states/expression.ts';
import { compileFast, FALLBACK, type AstNode } from '../../../lib/local/states/fast-path.ts';

const clock = createClock({ mode: 'virtual', startAt: Date.parse('2026-03-01T12:00:00Z') });
const expressions = createExpressions({ clock, random: () => 0.5 });
const evaluate = async (source: string, variables: Record<string, unknown> = {}, input: unknown = {}) =>
  expressions.compile(source).evaluate({ variables, states: { input } });

const KEYS = ['a', 'b', 'c'];
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, 1, -1, 0.5, 1e300, 123456789012345680, '', 'x', 'a b'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 3 }),
  ),
}));
const { source } = fc.letrec<{ source: string; path: string }>((tie) => ({
  path: fc
    .tuple(
      fc.constantFrom('$x', '$y', '$missing', '$states.input'),
      fc.array(fc.constantFrom(...KEYS), { maxLength: 3 }),
    )
    .map(([root, names]) => [root, ...names].join('.')),
  source: fc.oneof(
    { maxDepth: 3 },
    tie('path'),
    fc.constantFrom('"text"', '7', '-2.5', 'true', 'false', 'null', '""'),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `{"a": ${a}, "b": ${b}}`),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `[${a}, ${b}]`),
    fc
      .tuple(
        tie('source'),
        fc.constantFrom('&', '=', '!=', '<', '<=', '>', '>=', '+', '-', '*', 'and', 'or'),
        tie('source'),
      )
      .map(([a, operator, b]) => `(${a}) ${operator} (${b})`),
    fc.tuple(tie('source'), tie('source'), tie('source')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    tie('source').map((a) => `$exists(${a})`),
    fc.constantFrom('"12"', '"-0.5"', '"1e3"', '" 7"', '"x"').map((a) => `$number(${a})`),
  ),
}));

describe('the fast path', () => {
  it('answers exactly what JSONata answers, or leaves the answer to it', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(source, value, value, value, async (text, x, y, input) => {
        const expression = jsonata(text);
        const fast = compileFast(expression.ast() as unknown as AstNode);
        if (fast === undefined) return;
        const own = fast({ variables: { x, y }, states: { input } });
        if (own === FALLBACK) return;
        answered += 1;
        const theirs: unknown = await expression.evaluate(undefined, { x, y, states: { input } });
        expect(JSON.stringify(own)).toBe(JSON.stringify(theirs));
      }),
      { numRuns: 3000 },
    );
    expect(answered).toBeGreaterThan(500);
  });

  it('serves what state machines write most often', () => {
    for (const text of [
      '$run.id',
      '$states.input.x',
      '$states.result',
      '{"run": $run, "input": {"id": $states.input.id}}',
      '$states.input.a & "-" & $n',
      '$states.input.count < 3 and $states.input.ok = true',
    ])
      expect([text, typeof compileFast(jsonata(text).ast() as unknown as AstNode)]).toEqual([
        text,
        'function',
      ]);
  });

  it('leaves functions, filters, grouping and names of object internals to JSONata', () => {
    for (const text of ['$count($x)', '$x[0]', '$x[]', '$x{"a": b}', '$x.constructor', '$$', '$', '$x.*'])
      expect([text, compileFast(jsonata(text).ast() as unknown as AstNode)]).toEqual([text, undefined]);
  });
});

describe('expressions', () => {
  it('collapse a sequence of one, and keep an array constructor', async () => {
    const x = [{ id: 1, on: true }, { id: 2 }];
    expect(await evaluate('$x[on=true].id', { x })).toBe(1);
    expect(await evaluate('[$x[on=true].id]', { x })).toEqual([1]);
    expect(await evaluate('$x[id=9]', { x })).toBeUndefined();
  });

  it('do not carry a collapsed sequence flag into the next expression', async () => {
    const kept = await evaluate('$x[on=true].id[]', { x: [{ id: 1, on: true }] });
    expect(kept).toEqual([1]);
    expect(await evaluate('$y', { y: kept })).toEqual([1]);
  });

  it('do not change the data they read', async () => {
    const x = { items: [] };
    await evaluate('$x.items{"a": 1}', { x });
    expect(x).toEqual({ items: [] });
  });

  it("have Step Functions' own functions", async () => {
    expect(await evaluate('$partition([1,2,3,4,5], 2)')).toEqual([[1, 2], [3, 4], [5]]);
    expect(await evaluate('$range(1, 9, 3)')).toEqual([1, 4, 7]);
    expect(await evaluate('$range(5, 1, -2)')).toEqual([5, 3, 1]);
    expect(await evaluate('$hash("abc", "SHA-256")')).toMatch(/^ba7816bf/);
    expect(await evaluate('$parse("{\\"a\\":[1]}").a')).toEqual([1]);
    expect(await evaluate('$uuid()')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(await evaluate('$random()')).toBe(0.5);
    expect(await evaluate('$random(7)')).toBe(await evaluate('$random(7)'));
    await expect(evaluate('$range(1, 2000, 1)')).rejects.toThrow('1000');
    await expect(evaluate('$hash("abc", "CRC32")')).rejects.toThrow('CRC32');
  });

  it("read the cloud's clock and cannot eval", async () => {
    expect(await evaluate('$now()')).toBe('2026-03-01T12:00:00.000Z');
    expect(await evaluate('$now("[Y0001]")')).toBe('2026');
    expect(await evaluate('$millis()')).toBe(clock.now());
    await expect(evaluate('$eval("1")')).rejects.toMatchObject({ code: 'T1006' });
  });

  it('are ended when they would never end, and let the process breathe meanwhile', async () => {
    let turns = 0;
    const tick = setInterval(() => (turns += 1), 0);
    await expect(evaluate('($f := function($x) { $f($x + 1) }; $f(0))')).rejects.toThrow('too long');
    clearInterval(tick);
    expect(turns).toBeGreaterThan(5);
    await expect(evaluate('($f := function($x) { 1 + $f($x) }; $f(0))')).rejects.toThrow('nested too deeply');
  });

  it('refuse functions and infinities as results', async () => {
    await expect(evaluate('function($x) { $x }')).rejects.toThrow('not JSON');
    await expect(evaluate('{"a": $sum}')).rejects.toThrow('not JSON');
  });
});
