// What is said, when, and in which scene?
import * as z from 'zod';
import { InvalidInput } from '../../runtime/errors.ts';
import type { Scene, Word } from '../types.ts';

/** A transcript longer than this is not from a video we accept. */
export const MAX_TRANSCRIPT_CHARACTERS = 2_000_000;
const MAX_WORD_CHARACTERS = 200;

const TIME = String.raw`(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})`;
const CUE = new RegExp(String.raw`^\s*${TIME}\s+-->\s+${TIME}(?:\s|$)`);
const INNER = new RegExp(String.raw`<${TIME}>`, 'g');

const millis = (parts: readonly (string | undefined)[]): number =>
  (Number(parts[0] ?? 0) * 3600 + Number(parts[1]) * 60 + Number(parts[2])) * 1000 + Number(parts[3]);

/**
 * Words of a WebVTT file. Cue tags and speaker names are dropped, entities decoded. Times inside a cue (`<00:00:01.500>`)
 * are used; between known times, words share the time in proportion to their length. Confidence is 1: a person wrote it.
 * @throws InvalidInput when it is not WebVTT or a cue ends before it begins.
 */
export function parseWebVtt(text: string): Word[] {
  if (text.length > MAX_TRANSCRIPT_CHARACTERS) throw new InvalidInput('The subtitle file is too long.');
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (!/^WEBVTT(?:[ \t]|$)/.test(lines[0] ?? '')) {
    throw new InvalidInput('The subtitle file does not begin with WEBVTT.');
  }
  const words: Word[] = [];
  for (let at = 1; at < lines.length; at++) {
    const cue = CUE.exec(lines[at] as string);
    if (cue === null) {
      if ((lines[at] as string).includes('-->')) {
        throw new InvalidInput(`Line ${at + 1} of the subtitle file has times that cannot be read.`);
      }
      continue;
    }
    const startMs = millis(cue.slice(1, 5));
    const endMs = millis(cue.slice(5, 9));
    if (endMs < startMs)
      throw new InvalidInput(`The cue in line ${at + 1} of the subtitle file ends before it begins.`);
    const payload: string[] = [];
    while (at + 1 < lines.length && (lines[at + 1] as string).trim() !== '')
      payload.push(lines[++at] as string);
    words.push(...cueWords(payload.join(' '), startMs, endMs));
  }
  return words.toSorted((a, b) => a.startMs - b.startMs);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  nbsp: ' ',
  lrm: '',
  rlm: '',
};

function cueWords(payload: string, startMs: number, endMs: number): Word[] {
  const words: Word[] = [];
  let from = startMs;
  let rest = 0;
  const marks = [...payload.matchAll(INNER)];
  for (let part = 0; part <= marks.length; part++) {
    const mark = marks[part];
    const until = mark === undefined ? endMs : Math.min(endMs, Math.max(from, millis(mark.slice(1, 5))));
    const piece = payload.slice(rest, mark?.index ?? payload.length);
    words.push(...spread(plain(piece), from, until));
    from = until;
    rest = mark === undefined ? rest : mark.index + mark[0].length;
  }
  return words;
}

function plain(piece: string): string[] {
  return piece
    .replace(/<[^>]*>/g, '')
    .replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, MAX_WORD_CHARACTERS));
}

function spread(texts: readonly string[], startMs: number, endMs: number): Word[] {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  let passed = 0;
  const time = (): number => Math.round(startMs + ((endMs - startMs) * passed) / Math.max(1, total));
  return texts.map((text) => {
    const from = time();
    passed += text.length;
    return { text, startMs: from, endMs: time(), confidence: 1 };
  });
}

const TranscribeResult = z.object({
  results: z.object({
    items: z.array(
      z.object({
        type: z.string(),
        start_time: z.string().optional(),
        end_time: z.string().optional(),
        alternatives: z.array(z.object({ content: z.string(), confidence: z.string().nullish() })).min(1),
      }),
    ),
  }),
});

/**
 * Words of an Amazon Transcribe result file; punctuation joins the word before it.
 * @throws InvalidInput when the shape is not Transcribe's.
 */
export function parseTranscribeResult(value: unknown): Word[] {
  const parsed = TranscribeResult.safeParse(value);
  if (!parsed.success) {
    throw new InvalidInput('The transcription result does not have the shape of Amazon Transcribe.', {
      cause: parsed.error,
    });
  }
  const words: Word[] = [];
  for (const item of parsed.data.results.items) {
    const best = item.alternatives[0];
    if (best === undefined) continue;
    const last = words.at(-1);
    if (item.type === 'punctuation') {
      if (last !== undefined) last.text = `${last.text}${best.content}`.slice(0, MAX_WORD_CHARACTERS);
      continue;
    }
    const startMs = Math.round(Number(item.start_time) * 1000);
    const endMs = Math.round(Number(item.end_time) * 1000);
    if (!Number.isFinite(startMs) || !Number.isFinite(endMs)) {
      throw new InvalidInput('A word of the transcription result has no time.');
    }
    const confidence = Math.min(1, Math.max(0, Number(best.confidence ?? 0)));
    words.push({ text: best.content.slice(0, MAX_WORD_CHARACTERS), startMs, endMs, confidence });
  }
  return words;
}

/** Every word belongs to the scene in which its middle lies; words beyond the video to the nearest scene. */
export function assignWords(words: readonly Word[], scenes: readonly Scene[]): Map<string, Word[]> {
  const byScene = new Map<string, Word[]>(scenes.map((scene) => [scene.id, []]));
  for (const word of words) {
    const middle = (word.startMs + word.endMs) / 2;
    const scene = scenes.find((candidate) => middle < candidate.endMs) ?? scenes.at(-1);
    if (scene !== undefined) byScene.get(scene.id)?.push(word);
  }
  return byScene;
}
