// How does the camera move inside a shot?
import type { PACES, PlannedShot } from '../types.ts';

export interface Keyframe {
  /** Seconds after the shot's start, in source time. */
  atSeconds: number;
  /** 1 shows the whole cropped window, 1.1 a tenth less on each axis. Never below 1. */
  zoom: number;
}

const AMOUNT: Record<(typeof PACES)[number], number> = { calm: 0.04, steady: 0.06, fast: 0.1 };

/** The move that fits a shot's part in the story: a hook settles from a punch-in, a problem closes in, a solution opens up. */
export function movesFor(
  role: PlannedShot['role'],
  pace: (typeof PACES)[number],
  seconds: number,
): Keyframe[] {
  const most = 1 + AMOUNT[pace];
  switch (role) {
    case 'hook':
      return [
        { atSeconds: 0, zoom: most + AMOUNT[pace] },
        { atSeconds: Math.min(0.4, seconds / 2), zoom: 1 },
      ];
    case 'problem':
    case 'proof':
      return [
        { atSeconds: 0, zoom: 1 },
        { atSeconds: seconds, zoom: most },
      ];
    case 'solution':
      return [
        { atSeconds: 0, zoom: most },
        { atSeconds: seconds, zoom: 1 },
      ];
    case 'cta':
      return [{ atSeconds: 0, zoom: 1 }];
  }
}

/**
 * `scale…,crop…` to the target size: scaled once per frame to the zoomed size, then cut about the centre. (zoompan would cut
 * whole source pixels first, which trembles after enlarging.)
 */
export function keyframes(moves: readonly Keyframe[], target: { width: number; height: number }): string {
  const { width, height } = target;
  const zoom = zoomExpression(moves);
  if (zoom === '1') return `scale=${width}:${height}:flags=bicubic,setsar=1`;
  const side = (pixels: number): string => `'2*ceil(${pixels / 2}*(${zoom}))'`;
  return `scale=w=${side(width)}:h=${side(height)}:eval=frame:flags=bicubic,crop=${width}:${height},setsar=1`;
}

function zoomExpression(moves: readonly Keyframe[]): string {
  const last = moves.at(-1);
  if (last === undefined) return '1';
  let expression = String(last.zoom);
  for (let index = moves.length - 2; index >= 0; index--) {
    const from = moves[index];
    const to = moves[index + 1];
    if (from === undefined || to === undefined || to.atSeconds <= from.atSeconds) continue;
    const slope = ((to.zoom - from.zoom) / (to.atSeconds - from.atSeconds)).toFixed(5);
    expression = `if(lt(t,${to.atSeconds}),${from.zoom}+(t-${from.atSeconds})*(${slope}),${expression})`;
  }
  return expression;
}
