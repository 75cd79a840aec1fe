// How does a small copy of a rendition for looking at in a browser come about?
import { InvalidInput } from '../../runtime/errors.ts';
import { encodeArgs } from './encode-presets.ts';

export const PREVIEW_LEAST_PX = 240;
export const PREVIEW_MOST_PX = 720;

/** `scale=-2:<height>`; throws InvalidInput outside 240…720 (spec §7) or for an odd height, which 4:2:0 cannot hold. */
export function previewFilter(heightPx: number): string {
  if (
    !Number.isInteger(heightPx) ||
    heightPx < PREVIEW_LEAST_PX ||
    heightPx > PREVIEW_MOST_PX ||
    heightPx % 2 !== 0
  )
    throw new InvalidInput(`A preview is ${PREVIEW_LEAST_PX} to ${PREVIEW_MOST_PX} pixels high and even`, {
      path: 'heightPx',
    });
  return `scale=-2:${heightPx}:flags=bilinear`;
}

/** Arguments that make a proxy of a finished rendition. */
export function previewArgs(inputPath: string, outputPath: string, heightPx: number): string[] {
  return [
    '-y',
    '-i',
    `file:${inputPath}`,
    '-vf',
    previewFilter(heightPx),
    ...encodeArgs('preview'),
    outputPath,
  ];
}
