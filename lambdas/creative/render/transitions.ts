// How does one shot take over from another?
import type { TRANSITIONS } from '../types.ts';

type Transition = (typeof TRANSITIONS)[number];

/** How long a takeover lasts at each pace, in milliseconds; never more than a third of the shorter shot. */
export const TRANSITION_MS = { calm: 500, steady: 350, fast: 200 } as const;

/** ffmpeg's xfade name of every transition that is not a cut. */
export const XFADE: Record<Exclude<Transition, 'cut'>, string> = {
  fade: 'fade',
  wipeleft: 'wipeleft',
  slideup: 'slideup',
  circleopen: 'circleopen',
  dissolve: 'dissolve',
};

export interface Join {
  kind: Transition;
  /** Seconds, as ffmpeg writes them. Zero seconds is a cut whatever the kind. */
  duration: string;
  /** Where on the first stream the takeover begins, in seconds. */
  offset: string;
}

/** Video of `first` and `second` as one stream: `[first][second]xfade…[out]`. */
export function joinVideo(first: string, second: string, out: string, join: Join): string {
  if (join.kind === 'cut' || Number(join.duration) === 0)
    return `[${first}][${second}]concat=n=2:v=1:a=0,settb=AVTB[${out}]`;
  return `[${first}][${second}]xfade=transition=${XFADE[join.kind]}:duration=${join.duration}:offset=${join.offset}[${out}]`;
}

/** Sound of both: an equal-power cross-fade during the transition, butt-joined at a cut. */
export function joinAudio(first: string, second: string, out: string, join: Join): string {
  if (join.kind === 'cut' || Number(join.duration) === 0)
    return `[${first}][${second}]concat=n=2:v=0:a=1[${out}]`;
  return `[${first}][${second}]acrossfade=d=${join.duration}:c1=qsin:c2=qsin[${out}]`;
}
