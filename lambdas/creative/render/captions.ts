// Which words stand on the picture at which moment, and in which style?
import type { CAPTION_STYLES, Word } from '../types.ts';
import type { Box, Drawing } from './ass.ts';
import { assColour, drawable, escapeAss, fitText, plainText, roundedBox, textWidthPx } from './ass.ts';
import type { Font } from './font.ts';

type CaptionStyleName = (typeof CAPTION_STYLES)[number];

export interface CaptionStyle {
  /** Line height as a share of the picture's shorter side. */
  size: number;
  wordsPerChunk: number;
  charactersPerChunk: number;
  upperCase: boolean;
  colour: string;
  /** What lies around the letters: a box, or an outline of `outline` shares of the font size. */
  background: string;
  box: boolean;
  outline: number;
  /** The spoken word gets the accent colour. */
  followsWord: boolean;
}

export const STYLES: Record<CaptionStyleName, CaptionStyle> = {
  bold: {
    size: 0.092,
    wordsPerChunk: 3,
    charactersPerChunk: 18,
    upperCase: true,
    colour: '#ffffff',
    background: '#000000',
    box: false,
    outline: 0.085,
    followsWord: false,
  },
  karaoke: {
    size: 0.08,
    wordsPerChunk: 5,
    charactersPerChunk: 30,
    upperCase: false,
    colour: '#ffffff',
    background: '#000000',
    box: false,
    outline: 0.075,
    followsWord: true,
  },
  minimal: {
    size: 0.058,
    wordsPerChunk: 7,
    charactersPerChunk: 40,
    upperCase: false,
    colour: '#ffffff',
    background: '#000000',
    box: false,
    outline: 0.06,
    followsWord: false,
  },
  boxed: {
    size: 0.07,
    wordsPerChunk: 5,
    charactersPerChunk: 30,
    upperCase: false,
    colour: '#111111',
    background: '#ffffff',
    box: true,
    outline: 0,
    followsWord: false,
  },
};

/** A word in output time. */
export interface TimedWord {
  text: string;
  startMs: number;
  endMs: number;
}

export interface CaptionSpec {
  style: CaptionStyleName;
  /** One list per shot: a caption never spans two shots. */
  shots: readonly (readonly TimedWord[])[];
  box: Box;
  /** Shorter side of the picture in pixels. */
  unit: number;
  accent: string;
  font: Font;
}

/** Words that pause longer than this apart do not share a caption. */
const PAUSE_MS = 600;

/** Source words of one shot in output time, cut to the window in which the shot speaks. */
export function wordsInWindow(
  words: readonly Word[],
  shot: { sourceStartMs: number; outputStartMs: number; speed: number },
  window: { startMs: number; endMs: number },
): TimedWord[] {
  const toOutput = (ms: number): number =>
    Math.round(shot.outputStartMs + (ms - shot.sourceStartMs) / shot.speed);
  return words
    .map((word) => ({
      text: word.text,
      startMs: Math.max(toOutput(word.startMs), window.startMs),
      endMs: Math.min(toOutput(word.endMs), window.endMs),
    }))
    .filter((word) => word.endMs > word.startMs);
}

/** The plan's text as words spread over a window in proportion to their length, for a shot that nobody transcribed. */
export function wordsFromText(text: string, window: { startMs: number; endMs: number }): TimedWord[] {
  const words = plainText(text).split(' ').filter(Boolean);
  const total = words.reduce((sum, word) => sum + word.length + 1, 0);
  let passed = 0;
  const at = (): number => Math.round(window.startMs + ((window.endMs - window.startMs) * passed) / total);
  return words.map((word) => {
    const startMs = at();
    passed += word.length + 1;
    return { text: word, startMs, endMs: at() };
  });
}

/**
 * Captions that change together: broken at pauses and after sentences, then into equal parts of at most as many words as the
 * style shows, so that no last word is left alone.
 */
export function chunks(words: readonly TimedWord[], style: CaptionStyle): TimedWord[][] {
  const sentences: TimedWord[][] = [];
  for (const word of words) {
    const last = sentences.at(-1)?.at(-1);
    const breaks = last === undefined || word.startMs - last.endMs > PAUSE_MS || /[.!?…]$/u.test(last.text);
    if (breaks) sentences.push([word]);
    else sentences.at(-1)?.push(word);
  }
  return sentences.flatMap((sentence) => {
    const parts = Math.ceil(sentence.length / style.wordsPerChunk);
    const wordsPerPart = Math.ceil(sentence.length / parts);
    const result: TimedWord[][] = [];
    for (const word of sentence) {
      const chunk = result.at(-1);
      const characters =
        chunk?.reduce((sum, each) => sum + each.text.length + 1, word.text.length) ?? Infinity;
      if (chunk !== undefined && chunk.length < wordsPerPart && characters <= style.charactersPerChunk)
        chunk.push(word);
      else result.push([word]);
    }
    return result;
  });
}

/** ASS events for all captions of one rendition; each stands from its first word's start to its last word's end. */
export function captions(spec: CaptionSpec): Drawing {
  const style = STYLES[spec.style];
  const drawing: Drawing = { events: [], texts: [] };
  for (const words of spec.shots) {
    const shown = words
      .map((word) => ({
        ...word,
        text: drawable(style.upperCase ? word.text.toUpperCase() : word.text, spec.font),
      }))
      .filter((word) => word.text !== '');
    for (const chunk of chunks(shown, style)) drawChunk(drawing, chunk, style, spec);
  }
  return drawing;
}

function drawChunk(
  drawing: Drawing,
  chunk: readonly TimedWord[],
  style: CaptionStyle,
  spec: CaptionSpec,
): void {
  const startMs = chunk[0]?.startMs ?? 0;
  const endMs = chunk.at(-1)?.endMs ?? 0;
  const padding = style.box ? spec.unit * 0.018 : spec.unit * style.size * style.outline;
  const { lines, fontPx } = fitText(chunk.map((word) => word.text).join(' '), spec.font, {
    fontPx: Math.round(spec.unit * style.size),
    maxWidthPx: spec.box.width - 2 * padding,
    maxLines: 2,
  });
  const lineHeight = style.box ? fontPx + padding * 0.5 : fontPx;
  const top = spec.box.y + (spec.box.height - lines.length * lineHeight) / 2;
  let firstWord = 0;
  lines.forEach((line, index) => {
    const width = textWidthPx(line, spec.font, fontPx);
    const centreX = spec.box.x + spec.box.width / 2;
    const centreY = top + (index + 0.5) * lineHeight;
    const around: Box = {
      x: centreX - width / 2 - padding,
      y: centreY - fontPx / 2,
      width: width + 2 * padding,
      height: fontPx,
    };
    if (style.box)
      drawing.events.push({
        layer: 1,
        startMs,
        endMs,
        body: roundedBox(around, fontPx * 0.2, style.background, 1),
      });
    const outline = Math.round(fontPx * style.outline * 10) / 10;
    const look = `\\an5\\pos(${Math.round(centreX)},${Math.round(centreY)})\\fs${fontPx}\\bord${outline}\\shad0\\1c${assColour(style.colour)}\\3c${assColour(style.background)}`;
    const text = {
      what: 'caption' as const,
      text: line,
      startMs,
      endMs,
      fontPx,
      colour: style.colour,
      background: style.background,
    };
    drawing.texts.push({ ...text, ...around });
    const words = line.split(' ');
    if (style.followsWord) {
      drawing.events.push(...followingEvents(words, chunk, firstWord, look, style.colour, spec.accent));
      drawing.texts.push({ ...text, ...around, colour: spec.accent });
    } else drawing.events.push({ layer: 2, startMs, endMs, body: `{${look}}${escapeAss(line)}` });
    firstWord += words.length;
  });
}

/** The same line once per word of the chunk, with the spoken word in the accent colour (no gaps between: no flicker). */
function followingEvents(
  line: readonly string[],
  chunk: readonly TimedWord[],
  firstWord: number,
  look: string,
  colour: string,
  accent: string,
) {
  // A word of the chunk may hold spaces after cleaning; counting pieces keeps lines and words in step.
  const pieces = chunk.flatMap((word, index) => word.text.split(' ').map(() => index));
  return chunk.map((word, spoken) => {
    const body = line.map((text, index) =>
      pieces[firstWord + index] === spoken
        ? `{\\1c${assColour(accent)}}${escapeAss(text)}{\\1c${assColour(colour)}}`
        : escapeAss(text),
    );
    return {
      layer: 2,
      startMs: word.startMs,
      endMs: chunk[spoken + 1]?.startMs ?? word.endMs,
      body: `{${look}}${body.join(' ')}`,
    };
  });
}
