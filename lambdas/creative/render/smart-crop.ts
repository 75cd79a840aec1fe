// Which part of the source frame does a format show, so that what matters stays in the picture?
import type { FocusPoint } from './render-spec.ts';

export interface CropSpec {
  source: { width: number; height: number };
  target: { width: number; height: number };
  /** In time order; the window follows it in straight lines and stands still before the first and after the last point. */
  focus: readonly FocusPoint[];
}

/** The largest even window of the source with the target's shape, in source pixels. */
export function cropWindow(spec: Pick<CropSpec, 'source' | 'target'>): { width: number; height: number } {
  const { source, target } = spec;
  const even = (value: number): number => Math.max(2, Math.floor(value / 2) * 2);
  const wide = source.width * target.height > source.height * target.width;
  if (wide)
    return { width: even((source.height * target.width) / target.height), height: even(source.height) };
  return { width: even(source.width), height: even((source.width * target.height) / target.width) };
}

/**
 * `crop=w:h:x='…':y='…'`: a window centred on the focus and kept inside the frame. `t` counts from the shot's start, so the
 * filter stands before any change of speed.
 */
export function smartCrop(spec: CropSpec): string {
  const { width, height } = cropWindow(spec);
  const x = position(spec.focus, 'x', spec.source.width, width);
  const y = position(spec.focus, 'y', spec.source.height, height);
  return `crop=${width}:${height}:x='${x}':y='${y}'`;
}

function position(focus: readonly FocusPoint[], axis: 'x' | 'y', full: number, window: number): string {
  const room = full - window;
  const places = focus.map((point) => ({
    at: point.atMs / 1000,
    pixels: Math.round(Math.min(Math.max(point[axis] * full - window / 2, 0), room)),
  }));
  const last = places.at(-1);
  const first = places[0];
  if (last === undefined || first === undefined) return String(Math.round(room / 2));
  if (places.every((place) => place.pixels === first.pixels)) return String(first.pixels);
  let expression = String(last.pixels);
  for (let index = places.length - 2; index >= 0; index--) {
    const from = places[index];
    const to = places[index + 1];
    if (from === undefined || to === undefined || to.at <= from.at) continue;
    const slope = ((to.pixels - from.pixels) / (to.at - from.at)).toFixed(3);
    expression = `if(lt(t,${to.at}),${from.pixels}+(t-${from.at})*${slope},${expression})`;
  }
  return first.at > 0 ? `if(lt(t,${first.at}),${first.pixels},${expression})` : expression;
}
