// Which part of the picture does the platform leave free for text?
import type { Format } from '../types.ts';
import { FORMATS } from '../types.ts';
import type { Box } from './ass.ts';

/** Shares of the height or width that stay free of text, measured from each edge. */
export interface SafeZone {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/**
 * 9:16: Meta Business Help Centre, "About text and safe zones in Stories and Reels ads": keep about 14 % at the top, 35 %
 * at the bottom and 6 % at each side free (Reels is the stricter of the two; to be re-checked when Meta changes its interface).
 * Feed and in-stream formats carry no overlay; the margin is the 90 % title-safe area of SMPTE ST 2046-1.
 */
export const SAFE_ZONES: Record<Format, SafeZone> = {
  '9:16': { top: 0.14, bottom: 0.35, left: 0.06, right: 0.06 },
  '1:1': { top: 0.05, bottom: 0.05, left: 0.05, right: 0.05 },
  '4:5': { top: 0.05, bottom: 0.05, left: 0.05, right: 0.05 },
  '16:9': { top: 0.05, bottom: 0.05, left: 0.05, right: 0.05 },
};

/** The free rectangle of a format in output pixels. */
export function safeBox(format: Format, zone: SafeZone = SAFE_ZONES[format]): Box {
  const { width, height } = FORMATS[format];
  const x = Math.ceil(width * zone.left);
  const y = Math.ceil(height * zone.top);
  return {
    x,
    y,
    width: Math.floor(width * (1 - zone.right)) - x,
    height: Math.floor(height * (1 - zone.bottom)) - y,
  };
}
