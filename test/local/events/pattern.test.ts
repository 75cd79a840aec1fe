import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, parsePattern } from '../../../lib/local/events/pattern.ts';
import type { Json } from '../../../lib/local/types.ts';

const matches = (pattern: Json, event: Json) => compilePattern(pattern)(event);

describe('event patterns', () => {
  it.each<[string, Json, Json, boolean]>([
    ['exact', { a: ['x'] }, { a: 'x' }, true],
    ['exact, other', { a: ['x'] }, { a: 'y' }, false],
    ['absent', { a: ['x'] }, {}, false],
    ['null', { a: [null] }, { a: null }, true],
    ['null is not absent', { a: [null] }, {}, false],
    ['boolean', { a: [true] }, { a: true }, true],
    ['number is not text', { a: [1] }, { a: '1' }, false],
    ['array intersection', { a: ['x', 'y'] }, { a: ['z', 'y'] }, true],
    ['nested', { d: { b: ['x'] } }, { d: { b: 'x', c: 1 } }, true],
    ['nested below a scalar', { d: { b: ['x'] } }, { d: 'x' }, false],
    ['all fields must match', { a: ['x'], b: ['y'] }, { a: 'x', b: 'z' }, false],
    ['array of objects', { r: { t: ['x'], s: ['y'] } }, { r: [{ t: 'x', s: 'y' }] }, true],
    [
      'array of objects, not across elements',
      { r: { t: ['x'], s: ['y'] } },
      { r: [{ t: 'x' }, { s: 'y' }] },
      false,
    ],
    ['prefix', { a: [{ prefix: 'ab' }] }, { a: 'abc' }, true],
    ['prefix ignoring case', { a: [{ prefix: { 'equals-ignore-case': 'AB' } }] }, { a: 'abc' }, true],
    ['suffix', { a: [{ suffix: '.mp4' }] }, { a: 'v.mp4' }, true],
    ['suffix ignoring case', { a: [{ suffix: { 'equals-ignore-case': '.MP4' } }] }, { a: 'v.mp4' }, true],
    ['suffix, other', { a: [{ suffix: '.mp4' }] }, { a: 'v.mp3' }, false],
    ['ignoring case', { a: [{ 'equals-ignore-case': 'AbC' }] }, { a: 'aBc' }, true],
    ['wildcard', { a: [{ wildcard: 'a*c/*.mp4' }] }, { a: 'abbc/d/e.mp4' }, true],
    ['wildcard, literal star', { a: [{ wildcard: String.raw`a\*c` }] }, { a: 'abc' }, false],
    ['wildcard, dot is literal', { a: [{ wildcard: 'a.c' }] }, { a: 'abc' }, false],
    ['numeric equals', { a: [{ numeric: ['=', 3] }] }, { a: 3.0 }, true],
    ['numeric range', { a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 5 }, true],
    ['numeric range, outside', { a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 0 }, false],
    ['numeric of text', { a: [{ numeric: ['>', 0] }] }, { a: '5' }, false],
    ['cidr', { a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.0.255' }, true],
    ['cidr, outside', { a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.1.0' }, false],
    ['cidr of everything', { a: [{ cidr: '0.0.0.0/0' }] }, { a: '255.1.2.3' }, true],
    ['cidr 6', { a: [{ cidr: '2001:db8::/32' }] }, { a: '2001:db8:ffff::1' }, true],
    ['cidr 6, outside', { a: [{ cidr: '2001:db8::/32' }] }, { a: '2001:db9::1' }, false],
    ['exists', { a: [{ exists: true }] }, { a: null }, true],
    ['exists is about leaves', { a: [{ exists: true }] }, { a: { b: 1 } }, false],
    ['does not exist', { d: { a: [{ exists: false }] } }, { d: { b: 1 } }, true],
    ['does not exist, parent absent', { d: { a: [{ exists: false }] } }, {}, true],
    ['does not exist, but does', { a: [{ exists: false }] }, { a: 'x' }, false],
    ['anything but', { a: [{ 'anything-but': 'x' }] }, { a: 'y' }, true],
    ['anything but needs the field', { a: [{ 'anything-but': 'x' }] }, {}, false],
    ['anything but a list', { a: [{ 'anything-but': [1, 2] }] }, { a: 2 }, false],
    ['anything but a prefix', { a: [{ 'anything-but': { prefix: 'in' } }] }, { a: 'init' }, false],
    ['anything but prefixes', { a: [{ 'anything-but': { prefix: ['a', 'b'] } }] }, { a: 'c' }, true],
    ['anything but a suffix', { a: [{ 'anything-but': { suffix: '.txt' } }] }, { a: 'a.txt' }, false],
    [
      'anything but ignoring case',
      { a: [{ 'anything-but': { 'equals-ignore-case': ['A', 'B'] } }] },
      { a: 'b' },
      false,
    ],
    ['anything but a wildcard', { a: [{ 'anything-but': { wildcard: '*/x/*' } }] }, { a: 'a/x/b' }, false],
    ['alternatives', { a: ['x', { prefix: 'y' }] }, { a: 'yz' }, true],
    [
      'or, first',
      { $or: [{ a: ['x'] }, { b: [{ numeric: ['>', 1] }] }], c: ['d'] },
      { a: 'x', c: 'd' },
      true,
    ],
    ['or, second', { $or: [{ a: ['x'] }, { b: [{ numeric: ['>', 1] }] }], c: ['d'] }, { b: 2, c: 'd' }, true],
    ['or, and the rest', { $or: [{ a: ['x'] }, { b: [2] }], c: ['d'] }, { a: 'x', c: 'e' }, false],
    ['or inside', { d: { $or: [{ a: ['x'] }, { b: ['y'] }] } }, { d: { b: 'y' } }, true],
  ])('%s', (_name, pattern, event, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it.each<[string, Json]>([
    ['a scalar leaf', { a: 'x' }],
    ['nothing', {}],
    ['an empty leaf', { a: [] }],
    ['an empty object', { a: {} }],
    ['an unknown operator', { a: [{ contains: 'x' }] }],
    ['two operators', { a: [{ prefix: 'x', suffix: 'y' }] }],
    ['a bad numeric operator', { a: [{ numeric: ['!=', 3] }] }],
    ['consecutive wildcards', { a: [{ wildcard: 'a**b' }] }],
    ['a bad block', { a: [{ cidr: '10.0.0/8' }] }],
    ['anything but a boolean', { a: [{ 'anything-but': [true] }] }],
    ['one alternative', { $or: [{ a: ['x'] }] }],
    ['an array in a leaf', { a: [['x']] }],
  ])('refuses %s', (_name, pattern) => {
    expect(() => compilePattern(pattern)).toThrow('Event pattern is not valid');
  });

  it('refuses text that is no JSON', () => {
    expect(() => parsePattern('{')).toThrow('Event pattern is not valid');
  });

  it('matches any flat event by its own values, and not by a changed one', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((name) => name !== '$or' && name !== '__proto__'),
          fc.string(),
          { minKeys: 1 },
        ),
        (event) => {
          const pattern = Object.fromEntries(Object.entries(event).map(([name, value]) => [name, [value]]));
          const name = Object.keys(event)[0]!;
          expect(matches(pattern, event)).toBe(true);
          expect(matches(pattern, { ...event, [name]: `${event[name]}!` })).toBe(false);
        },
      ),
    );
  });

  it('a wildcard made from a text by blanking parts matches the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const escaped = parts.map((part) => part.replaceAll(/[*\\]/g, String.raw`\$&`)).join('*');
        expect(matches({ a: [{ wildcard: escaped }] }, { a: parts.join('anything\n') })).toBe(true);
      }),
    );
  });
});
