// How does text get into pictures without ever being read as a command?
import type { Font } from './font.ts';

/** A rectangle in output pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A piece of text as drawn, kept so that safe zones and contrast can be judged without looking at pixels. */
export interface DrawnText extends Box {
  what: 'hook' | 'caption' | 'lower-third' | 'call-to-action';
  text: string;
  startMs: number;
  endMs: number;
  fontPx: number;
  /** `#rrggbb`, and what lies directly around the letters: box or outline. */
  colour: string;
  background: string;
}

/** One dialogue line of an ASS file. `body` is override tags (ours) plus escaped text. */
export interface AssEvent {
  layer: number;
  startMs: number;
  endMs: number;
  body: string;
}

export interface Drawing {
  events: AssEvent[];
  texts: DrawnText[];
}

// Controls, bidi marks, overrides and isolates, joiners, variation selectors, line separators: nothing that could restructure a line.
const RESTRUCTURING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\p{Variation_Selector}/gu;

/** One line of plain text: controls and line breaks become spaces, runs of white space one space. */
export function plainText(text: string): string {
  return text.normalize('NFC').replace(RESTRUCTURING, ' ').replace(/\s+/gu, ' ').trim();
}

/** Letters, digits or signs that the font cannot draw. Pictographs are not counted: leaving them out loses no word. */
export function undrawable(text: string, font: Font): string[] {
  const missing = Array.from(plainText(text)).filter(
    (character) => font.advance(codePointOf(character)) === undefined,
  );
  return [...new Set(missing)].filter(
    (character) => !/[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]/u.test(character),
  );
}

/** What the font can draw of it: an absent glyph would be fetched from whatever fonts the machine happens to have. */
export function drawable(text: string, font: Font): string {
  return plainText(
    Array.from(plainText(text))
      .filter((character) => font.advance(codePointOf(character)) !== undefined)
      .join(''),
  );
}

/**
 * Text for the body of an ASS event. libass reads `\N`, `\n`, `\h`, `\{`, `\}` and `{…}`: braces are escaped and a
 * zero-width space behind every backslash keeps it a backslash.
 */
export function escapeAss(text: string): string {
  return plainText(text).replace(/\\/g, '\\\u200b').replace(/[{}]/g, '\\$&');
}

/** Width in pixels of one line at an ASS font size (line height) of `fontPx`, without kerning. */
export function textWidthPx(text: string, font: Font, fontPx: number): number {
  let units = 0;
  for (const character of text) units += font.advance(codePointOf(character)) ?? 0;
  return (units * fontPx) / font.unitsPerLine;
}

/**
 * Breaks a text into lines that fit `maxWidthPx`, as even as possible, lowering the font size (not below half) until at
 * most `maxLines` remain. A single word that is still too wide is squeezed onto its line by the size.
 */
export function fitText(
  text: string,
  font: Font,
  limits: { fontPx: number; maxWidthPx: number; maxLines: number },
): { lines: string[]; fontPx: number } {
  const words = drawable(text, font).split(' ').filter(Boolean);
  for (let fontPx = limits.fontPx; ; fontPx -= 2) {
    const lines = balance(words, font, fontPx, limits.maxWidthPx);
    const fits =
      lines.length <= limits.maxLines &&
      lines.every((line) => textWidthPx(line, font, fontPx) <= limits.maxWidthPx);
    if (fits || fontPx <= 12) return { lines, fontPx };
  }
}

function balance(words: readonly string[], font: Font, fontPx: number, maxWidthPx: number): string[] {
  const greedy = fill(words, font, fontPx, maxWidthPx);
  if (greedy.length < 2) return greedy;
  let best = greedy;
  for (let share = 0.95; share > 0.4; share -= 0.05) {
    const narrower = fill(words, font, fontPx, maxWidthPx * share);
    if (narrower.length > greedy.length) break;
    best = narrower;
  }
  return best;
}

function fill(words: readonly string[], font: Font, fontPx: number, maxWidthPx: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && textWidthPx(`${last} ${word}`, font, fontPx) <= maxWidthPx)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `#rrggbb` as ASS writes it: `&Hbbggrr&`. */
export function assColour(hex: string): string {
  return `&H${hex.slice(5, 7)}${hex.slice(3, 5)}${hex.slice(1, 3)}&`.toUpperCase();
}

/** A rounded rectangle as an ASS drawing, positioned by its top left corner. */
export function roundedBox(box: Box, radiusPx: number, colour: string, opacity: number): string {
  const [w, h] = [Math.round(box.width), Math.round(box.height)];
  const r = Math.min(Math.round(radiusPx), Math.floor(h / 2), Math.floor(w / 2));
  const k = Math.round(r * 0.4477);
  const path =
    `m ${r} 0 l ${w - r} 0 b ${w - k} 0 ${w} ${k} ${w} ${r} l ${w} ${h - r} b ${w} ${h - k} ${w - k} ${h} ${w - r} ${h} ` +
    `l ${r} ${h} b ${k} ${h} 0 ${h - k} 0 ${h - r} l 0 ${r} b 0 ${k} ${k} 0 ${r} 0`;
  const alpha = Math.round(255 * (1 - opacity))
    .toString(16)
    .padStart(2, '0')
    .toUpperCase();
  return `{\\an7\\pos(${Math.round(box.x)},${Math.round(box.y)})\\bord0\\shad0\\1c${assColour(colour)}\\1a&H${alpha}&\\p1}${path}{\\p0}`;
}

/** The whole ASS file: one style in our font, coordinates in output pixels, no wrapping but ours. */
export function assFile(
  size: { width: number; height: number },
  font: Font,
  events: readonly AssEvent[],
): string {
  const lines = events
    .filter((event) => event.endMs > event.startMs)
    .map(
      (event) =>
        `Dialogue: ${event.layer},${assTime(event.startMs)},${assTime(event.endMs)},T,,0,0,0,,${event.body}`,
    );
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    `PlayResX: ${size.width}`,
    `PlayResY: ${size.height}`,
    'WrapStyle: 2',
    'ScaledBorderAndShadow: yes',
    'YCbCr Matrix: None',
    '',
    '[V4+ Styles]',
    'Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding',
    `Style: T,${font.name},48,&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,0,0,5,0,0,0,1`,
    '',
    '[Events]',
    'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text',
    ...lines,
    '',
  ].join('\n');
}

function assTime(ms: number): string {
  const centis = Math.round(ms / 10);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(centis / 360_000)}:${two(Math.floor(centis / 6000) % 60)}:${two(Math.floor(centis / 100) % 60)}.${two(centis % 100)}`;
}

/** A value (a path) inside a filter option: escaped once for the option and once for the graph, as ffmpeg unescapes it twice. */
export function escapeFilterValue(value: string): string {
  const option = value.replace(/[\\':]/g, '\\$&');
  return option.replace(/[\\'[\],;]/g, '\\$&');
}

function codePointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
