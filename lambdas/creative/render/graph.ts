// Which filter graph makes all renditions of a render group from one reading of the source?
import type { Format } from '../types.ts';
import { escapeFilterValue } from './ass.ts';
import type { Loudness } from './audio-mix.ts';
import { audioMix } from './audio-mix.ts';
import { logoOverlay, musicBed } from './asset-library.ts';
import { colourGrade } from './colour-grade.ts';
import { keyframes, movesFor } from './keyframes.ts';
import { cardBackdrop } from './motion-graphics.ts';
import type { PictureText } from './picture-text.ts';
import type { RenderSpec } from './render-spec.ts';
import { smartCrop } from './smart-crop.ts';
import { templateFilter } from './templates.ts';
import type { Timeline } from './timeline.ts';
import { framesToMs, framesToSeconds, segmentAudio, segmentVideo } from './timeline.ts';
import { joinAudio, joinVideo } from './transitions.ts';
import { voiceOver } from './voice-over.ts';

/** One input of the ffmpeg run, in order. */
export type GraphInput =
  | { kind: 'shot'; startMs: number; lengthMs: number }
  | { kind: 'asset'; key: string; loop: boolean };

export interface GraphRendition {
  format: Format;
  text: PictureText;
  /** Path of the ASS file. */
  assPath: string;
}

export interface GraphVariation {
  spec: RenderSpec;
  line: Timeline;
  loudness: Loudness;
  /** Empty in the measuring pass: only sound is made. */
  renditions: readonly GraphRendition[];
}

export interface Graph {
  inputs: GraphInput[];
  filters: string;
  /** Per variation: label of each rendition's video (same order) and of each copy of the sound. */
  labels: { video: string[]; audio: string[] }[];
}

/**
 * Uses of one shot this close in output time share one decode. Further apart, the earlier user's frames would wait in
 * memory for the later one, so the shot is read a second time (a seek and a decode are cheap beside an encode).
 */
const SHARE_WITHIN_MS = 1000;

interface Use {
  variation: number;
  segment: number;
}

/** `fontsDir` holds our fonts; labels of video are absent where a variation has no renditions. */
export function buildGraph(variations: readonly GraphVariation[], fontsDir: string): Graph {
  const chains: string[] = [];
  const inputs: GraphInput[] = [];
  clusters(variations).forEach((uses) => {
    const first = uses[0];
    const segment = first && variations[first.variation]?.line.segments[first.segment];
    if (segment === undefined) return;
    const input =
      inputs.push({ kind: 'shot', startMs: segment.sourceStartMs, lengthMs: segment.sourceMs }) - 1;
    chains.push(...pictureChains(variations, uses, input), ...soundChains(variations, uses, input));
  });
  const asset = (key: string, loop: boolean): number => inputs.push({ kind: 'asset', key, loop }) - 1;
  const labels = variations.map((variation, index) => {
    chains.push(...finishSound(variation, index, asset));
    const logo = variation.spec.logo;
    const video = variation.renditions.map((rendition, place) => {
      const logoInput = logo === null ? null : `${asset(logo, false)}:v`;
      chains.push(...finishPicture(variation, rendition, `v${index}r${place}`, fontsDir, logoInput));
      return `v${index}r${place}`;
    });
    const copies = Math.max(1, variation.renditions.length);
    const audio = Array.from({ length: copies }, (_, place) => `a${index}r${place}`);
    if (copies > 1) chains.push(`[a${index}]asplit=${copies}${audio.map((label) => `[${label}]`).join('')}`);
    return { video, audio: copies > 1 ? audio : [`a${index}`] };
  });
  return { inputs, filters: chains.join(';\n'), labels };
}

function clusters(variations: readonly GraphVariation[]): Use[][] {
  const open = new Map<string, { atMs: number; uses: Use[] }[]>();
  const all: Use[][] = [];
  variations.forEach(({ line, spec }, variation) => {
    for (const segment of line.segments) {
      const key = `${segment.sourceStartMs}+${segment.sourceMs}@${spec.source.sha256}`;
      const atMs = framesToMs(segment.startFrame, line.rate);
      const near = open.get(key)?.find((cluster) => Math.abs(cluster.atMs - atMs) <= SHARE_WITHIN_MS);
      const use = { variation, segment: segment.index };
      if (near !== undefined) near.uses.push(use);
      else {
        const cluster = { atMs, uses: [use] };
        open.set(key, [...(open.get(key) ?? []), cluster]);
        all.push(cluster.uses);
      }
    }
  });
  return all;
}

/** One decoded shot → one crop and scale per different framing → one copy per use, `[v<variation>r<rendition>s<segment>]`. */
function pictureChains(variations: readonly GraphVariation[], uses: readonly Use[], input: number): string[] {
  const framings = new Map<string, string[]>();
  for (const use of uses) {
    const variation = variations[use.variation];
    const segment = variation?.line.segments[use.segment];
    const shot = variation?.spec.variation.shots[use.segment];
    const focus = variation?.spec.shots[use.segment]?.focus;
    if (variation === undefined || segment === undefined || shot === undefined || focus === undefined)
      continue;
    const { source } = variation.spec;
    const limit = source.frameRate > 31 ? `fps=${variation.line.rate.num}/${variation.line.rate.den},` : '';
    const moves = movesFor(shot.role, variation.spec.variation.pace, segment.sourceMs / 1000);
    variation.renditions.forEach(({ text }, place) => {
      const framing = `${limit}${smartCrop({ source, target: text.layout, focus })},${keyframes(moves, text.layout)},format=yuv420p`;
      const ending = `${segmentVideo(variation.line, segment)}[v${use.variation}r${place}s${use.segment}]`;
      framings.set(framing, [...(framings.get(framing) ?? []), ending]);
    });
  }
  const names = [...framings.keys()].map((_, index) => `i${input}f${index}`);
  if (names.length === 0) return [];
  const chains: string[] = [];
  if (names.length > 1)
    chains.push(`[${input}:v]split=${names.length}${names.map((name) => `[${name}]`).join('')}`);
  [...framings].forEach(([framing, endings], index) => {
    const from = names.length > 1 ? (names[index] ?? '') : `${input}:v`;
    const copies = endings.map((_, copy) => `${names[index]}c${copy}`);
    if (endings.length === 1) {
      chains.push(`[${from}]${framing},${endings[0]}`);
      return;
    }
    chains.push(`[${from}]${framing},split=${endings.length}${copies.map((copy) => `[${copy}]`).join('')}`);
    endings.forEach((ending, copy) => chains.push(`[${copies[copy]}]${ending}`));
  });
  return chains;
}

function soundChains(variations: readonly GraphVariation[], uses: readonly Use[], input: number): string[] {
  const heard = uses.filter((use) => variations[use.variation]?.spec.source.hasAudio === true);
  if (heard.length === 0) return [];
  const copies = heard.map((_, copy) => `i${input}a${copy}`);
  const split =
    heard.length > 1
      ? [`[${input}:a]asplit=${heard.length}${copies.map((copy) => `[${copy}]`).join('')}`]
      : [];
  const endings = heard.flatMap((use, copy) => {
    const line = variations[use.variation]?.line;
    const segment = line?.segments[use.segment];
    if (line === undefined || segment === undefined) return [];
    const from = heard.length > 1 ? (copies[copy] ?? '') : `${input}:a`;
    return [`[${from}]${segmentAudio(line, segment)}[a${use.variation}s${use.segment}]`];
  });
  return [...split, ...endings];
}

/** Shots joined by their transitions; returns the label of the whole. `prefix` and segment index name the parts. */
function joined(variation: GraphVariation, prefix: string, join: typeof joinVideo, chains: string[]): string {
  const { line, spec } = variation;
  let whole = `${prefix}s0`;
  for (const segment of line.segments.slice(1)) {
    const out = `${prefix}j${segment.index}`;
    const kind = spec.variation.shots[segment.index]?.transition ?? 'cut';
    const duration = framesToSeconds(segment.overlapFrames, line.rate);
    const offset = framesToSeconds(segment.startFrame, line.rate);
    chains.push(join(whole, `${prefix}s${segment.index}`, out, { kind, duration, offset }));
    whole = out;
  }
  return whole;
}

function finishPicture(
  variation: GraphVariation,
  { text, assPath }: GraphRendition,
  out: string,
  fontsDir: string,
  logoInput: string | null,
): string[] {
  const chains: string[] = [];
  const whole = joined(variation, out, joinVideo, chains);
  const { grade, template } = variation.spec.variation;
  const filters = [
    colourGrade(grade),
    templateFilter(template, text.layout, text.solutionMs),
    cardBackdrop(text.card),
    `ass=filename=${escapeFilterValue(assPath)}:fontsdir=${escapeFilterValue(fontsDir)}`,
  ].filter((filter) => filter !== null);
  if (logoInput === null) chains.push(`[${whole}]${filters.join(',')}[${out}]`);
  else
    chains.push(
      `[${whole}]${filters.join(',')}[${out}t]`,
      logoOverlay(`${out}t`, logoInput, out, text.layout, text.hookEndMs),
    );
  return chains;
}

function finishSound(
  variation: GraphVariation,
  index: number,
  asset: (key: string, loop: boolean) => number,
): string[] {
  const { spec, line } = variation;
  const chains: string[] = [];
  const out = `a${index}`;
  const duration = framesToSeconds(line.totalFrames, line.rate);
  const source = spec.source.hasAudio ? joined(variation, out, joinAudio, chains) : null;
  const spoken = voiceOver({
    input: spec.voiceOver === null ? null : `${asset(spec.voiceOver, false)}:a`,
    delayMs: 0,
    duration,
    out: `${out}vo`,
  });
  if (spoken !== null) chains.push(spoken);
  const shape = `aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,atrim=end=${duration},asetpts=PTS-STARTPTS[${out}mu]`;
  if (spec.music?.kind === 'generated')
    chains.push(`${musicBed(spec.music.mood, spec.seed, line.speed)},${shape}`);
  else if (spec.music !== null) chains.push(`[${asset(spec.music.key, true)}:a]${shape}`);
  const music = spec.music === null ? null : `${out}mu`;
  chains.push(
    audioMix({
      source,
      voice: spoken === null ? null : `${out}vo`,
      music,
      duration,
      loudness: variation.loudness,
      out,
    }),
  );
  return chains;
}
