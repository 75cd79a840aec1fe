import * as fc from 'fast-check';
import { mkdir, copyFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  assFile,
  drawable,
  escapeAss,
  escapeFilterValue,
  fitText,
  plainText,
  textWidthPx,
  undrawable,
} from '../../../lambdas/creative/render/ass.ts';
import { FONT_PATH, ffmpeg, font, mean, workDirectory } from './sample.ts';

const work = workDirectory();
const SIZE = { width: 400, height: 120 };

async function drawn(body: string): Promise<Buffer> {
  await mkdir(work.path("it's: [a], b;c"), { recursive: true });
  await mkdir(work.path('fonts'), { recursive: true });
  await copyFile(FONT_PATH, work.path('fonts', 'font.ttf'));
  const path = work.path("it's: [a], b;c", 'text.ass');
  await writeFile(
    path,
    assFile(SIZE, font, [{ layer: 0, startMs: 0, endMs: 1000, body: `{\\an2\\pos(200,118)\\fs40}${body}` }]),
  );
  const { stdout } = await ffmpeg.run([
    '-f',
    'lavfi',
    '-i',
    `color=black:s=${SIZE.width}x${SIZE.height}:r=5:d=0.2`,
    '-vf',
    `ass=filename=${escapeFilterValue(path)}:fontsdir=${escapeFilterValue(work.path('fonts'))}`,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    '-',
  ]);
  return stdout;
}
const ink = (frame: Buffer, y: number, height: number): number =>
  mean(frame, SIZE.width, { x: 0, y, width: SIZE.width, height });
const inkedWidth = (frame: Buffer): number => {
  const columns = Array.from(
    { length: SIZE.width },
    (_, x) => mean(frame, SIZE.width, { x, y: 0, width: 1, height: SIZE.height }) > 2,
  );
  return columns.lastIndexOf(true) - columns.indexOf(true);
};

describe('text that becomes pictures', () => {
  it('never leaves an unescaped brace or a backslash that libass would read', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '\\',
        'N',
        'n',
        'h',
        'a',
        ' ',
        '\n',
        ',',
        ':',
        '%',
        "'",
        '\u202e',
        '😀',
      ),
    });
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeAss(text);
        expect(escaped).not.toMatch(/[\n\r\u202e]/);
        expect(escaped.replace(/\\[{}]/g, '')).not.toMatch(/[{}]/);
        expect(escaped.replace(/\\[{}]/g, '')).not.toMatch(/\\(?!\u200b)/);
      }),
    );
  });

  it('draws an override code as the letters it is made of, where the plan wants it', async () => {
    const frame = await drawn(escapeAss('{\\an8}Top?'));
    expect(ink(frame, 0, 60)).toBeLessThan(0.5);
    expect(ink(frame, 60, 60)).toBeGreaterThan(5);
    expect(Math.abs(inkedWidth(frame) - textWidthPx('{\\an8}Top?', font, 40))).toBeLessThan(14);
  });

  it('draws a line-break code on one line', async () => {
    expect(ink(await drawn(escapeAss('one\\Ntwo')), 0, 75)).toBeLessThan(0.5);
    expect(ink(await drawn('one\\Ntwo'), 0, 75)).toBeGreaterThan(1);
  });

  it('keeps quotes, colons, percent signs and commas', () => {
    expect(escapeAss(`it's "50%": yes, no; [x] = %{pts}`)).toBe(`it's "50%": yes, no; [x] = %\\{pts\\}`);
    expect(plainText('two\nlines\tand\r\n tabs')).toBe('two lines and tabs');
  });

  it('leaves out what the font lacks, and says which letters those were', () => {
    expect(drawable('Go 🚀 now', font)).toBe('Go now');
    expect(undrawable('Go 🚀 now', font)).toEqual([]);
    expect(undrawable('שלום \u202eabc', font)).toEqual(['ש', 'ל', 'ו', 'ם']);
    expect(drawable('Größe, Цена, τιμή', font)).toBe('Größe, Цена, τιμή');
  });

  it('escapes a path so that the filter reads back the very same one', () => {
    expect(escapeFilterValue('/a/b.ass')).toBe('/a/b.ass');
    // Once for the option, once for the graph; the drawing tests above open such a path for real.
    expect(escapeFilterValue("/it's:x")).toBe("/it\\\\\\'s\\\\:x");
  });

  it('breaks lines within their width whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 38 }), (text) => {
        const { lines, fontPx } = fitText(text, font, { fontPx: 100, maxWidthPx: 600, maxLines: 3 });
        expect(lines.join(' ')).toBe(drawable(text, font));
        expect(lines.length).toBeLessThanOrEqual(3);
        for (const line of lines) expect(textWidthPx(line, font, fontPx)).toBeLessThanOrEqual(600);
      }),
    );
  });

  it('predicts the drawn width from the font file', async () => {
    const frame = await drawn(escapeAss('Learn more'));
    expect(Math.abs(inkedWidth(frame) - textWidthPx('Learn more', font, 40))).toBeLessThan(14);
  });
});
