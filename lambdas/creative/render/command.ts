// Which single ffmpeg invocation renders a group of variations?
import type { Format } from '../types.ts';
import { InvalidInput } from '../../runtime/errors.ts';
import { untrustedInput } from '../media/untrusted-input.ts';
import type { DrawnText } from './ass.ts';
import { fontsDirectory } from './asset-library.ts';
import type { Loudness } from './audio-mix.ts';
import { encodeArgs } from './encode-presets.ts';
import type { Font } from './font.ts';
import type { GraphInput, GraphVariation } from './graph.ts';
import { buildGraph } from './graph.ts';
import { pictureText } from './picture-text.ts';
import type { RenderSpec } from './render-spec.ts';
import { timeline } from './timeline.ts';

export interface CommandOptions {
  /** Local file of the source video. */
  sourcePath: string;
  /** Directory for text files; `fonts/` in it holds nothing but our font. */
  workDir: string;
  font: Font;
  /** Local file of every asset key that a spec names (music, logo, voice-over). */
  assetPaths?: Readonly<Record<string, string>>;
  /** Where a rendition goes. */
  outputPath: (variationId: string, format: Format) => string;
  /** Per variation, from the measuring pass. */
  loudness: readonly Loudness[];
}

export interface RenderCommand {
  args: string[];
  /** To be written before the run. */
  textFiles: { path: string; text: string }[];
  renditions: { variationId: string; format: Format; path: string; durationMs: number; texts: DrawnText[] }[];
  /** Length of the longest ad: what progress counts to. */
  longestMs: number;
}

/**
 * One invocation for all formats of all variations: an input seek per distinct shot, shared decode, crop and scale where
 * they agree, one output per rendition. Throws InvalidInput when the specs do not share a source.
 */
export function renderCommand(specs: readonly RenderSpec[], options: CommandOptions): RenderCommand {
  const textFiles: RenderCommand['textFiles'] = [];
  const renditions: RenderCommand['renditions'] = [];
  const variations = specs.map((spec, index): GraphVariation => {
    requireSameSource(spec, specs[0]);
    const line = timeline(spec);
    const drawn = spec.formats.map((format) => {
      const text = pictureText(spec, format, line, options.font);
      const assPath = `${options.workDir}/${spec.variation.id}-${format.replace(':', 'x')}.ass`;
      const path = options.outputPath(spec.variation.id, format);
      textFiles.push({ path: assPath, text: text.ass });
      renditions.push({
        variationId: spec.variation.id,
        format,
        path,
        durationMs: line.totalMs,
        texts: text.texts,
      });
      return { format, text, assPath };
    });
    return { spec, line, loudness: options.loudness[index] ?? { kind: 'none' }, renditions: drawn };
  });
  const graph = buildGraph(variations, fontsDirectory(options.workDir));
  const outputs = variations.flatMap(({ spec, renditions: made }, index) =>
    made.flatMap(({ format }, place) => [
      '-map',
      `[${graph.labels[index]?.video[place]}]`,
      '-map',
      `[${graph.labels[index]?.audio[place]}]`,
      ...encodeArgs(spec.preset),
      options.outputPath(spec.variation.id, format),
    ]),
  );
  const longestMs = Math.max(...variations.map(({ line }) => line.totalMs));
  return {
    args: [...inputArgs(graph.inputs, options), '-filter_complex', graph.filters, ...outputs],
    textFiles,
    renditions,
    longestMs,
  };
}

/**
 * The same sound without pictures, measured and thrown away: the meters print their figures as `ebur128@m<index>`.
 * `before` is a treatment whose result is to be measured, null for the untreated mix.
 */
export function measureCommand(
  specs: readonly RenderSpec[],
  options: Pick<CommandOptions, 'sourcePath' | 'workDir' | 'assetPaths'>,
  before: readonly (Loudness | null)[],
): string[] {
  const variations = specs.map((spec, index): GraphVariation => ({
    spec: { ...spec, logo: null },
    line: timeline(spec),
    loudness: { kind: 'measure', name: `m${index}`, before: before[index] ?? null },
    renditions: [],
  }));
  const graph = buildGraph(variations, fontsDirectory(options.workDir));
  const outputs = graph.labels.flatMap(({ audio }) => ['-map', `[${audio[0]}]`, '-f', 'null', '-']);
  return [...inputArgs(graph.inputs, options), '-filter_complex', graph.filters, ...outputs];
}

function inputArgs(
  inputs: readonly GraphInput[],
  options: Pick<CommandOptions, 'sourcePath' | 'assetPaths'>,
): string[] {
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  // Reading a few milliseconds more than the shot costs nothing and spares a held frame at the end.
  const shot = (startMs: number, lengthMs: number): string[] => [
    '-ss',
    seconds(startMs),
    '-t',
    seconds(lengthMs + 50),
  ];
  return [
    '-y',
    ...inputs.flatMap((input) => {
      if (input.kind === 'shot')
        return [
          '-threads',
          '1',
          ...shot(input.startMs, input.lengthMs),
          ...untrustedInput(options.sourcePath),
        ];
      const path = options.assetPaths?.[input.key];
      if (path === undefined)
        throw new InvalidInput(`The asset ${input.key} was not fetched`, { path: 'assetPaths' });
      return [...(input.loop ? ['-stream_loop', '-1'] : []), '-i', `file:${path}`];
    }),
  ];
}

function requireSameSource(spec: RenderSpec, first: RenderSpec | undefined): void {
  if (spec.source.sha256 !== first?.source.sha256)
    throw new InvalidInput('A render group shares one source video', { path: 'specs' });
}
