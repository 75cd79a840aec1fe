// Which text file belongs to one rendition, and what does it say where and when?
import type { Format } from '../types.ts';
import type { DrawnText } from './ass.ts';
import { assFile, plainText } from './ass.ts';
import type { TimedWord } from './captions.ts';
import { captions, wordsFromText, wordsInWindow } from './captions.ts';
import type { Font } from './font.ts';
import type { Timed } from './motion-graphics.ts';
import { cardAndHookTimes, motionGraphics, overlayText } from './motion-graphics.ts';
import type { RenderSpec } from './render-spec.ts';
import type { Layout } from './templates.ts';
import { layoutOf } from './templates.ts';
import type { Timeline } from './timeline.ts';
import { framesToMs, segmentWindow } from './timeline.ts';

export interface PictureText {
  /** Contents of the ASS file. */
  ass: string;
  /** Everything drawn, for compliance. */
  texts: DrawnText[];
  layout: Layout;
  card: Timed & { headline: string };
  hookEndMs: number;
  /** When the first shot with the role `solution` begins; null without one. */
  solutionMs: number | null;
}

/**
 * Lays out all text of one rendition. Spoken words become captions and the plan's overlays lower thirds; where nobody
 * transcribed, the overlays are the captions. The hook is not repeated, and the card at the end stands alone.
 */
export function pictureText(spec: RenderSpec, format: Format, line: Timeline, font: Font): PictureText {
  const { variation } = spec;
  const layout = layoutOf(variation.template, format);
  const { hookEndMs, cardStartMs } = cardAndHookTimes(line.totalMs);
  const spokenShots: TimedWord[][] = [];
  const lowerThirds: Timed[] = [];
  let headline = '';
  let solutionMs: number | null = null;
  let points = 0;
  variation.shots.forEach((shot, index) => {
    const segment = line.segments[index];
    if (segment === undefined) return;
    const window = segmentWindow(line, index);
    if (shot.role === 'solution') solutionMs ??= window.startMs;
    const before = { startMs: window.startMs, endMs: Math.min(window.endMs, cardStartMs) };
    const last = index === variation.shots.length - 1 && index > 0;
    if (shot.role !== 'hook' && !last) points += 1;
    const position = layout.numbered && shot.role !== 'hook' && !last ? points : null;
    const overlay = isRepeated(shot.textOverlay, spec) ? '' : overlayText(shot.textOverlay, position, font);
    // The last shot lies under the card: what it wanted to say becomes the card's headline.
    if (last) headline = overlay;
    const place = {
      sourceStartMs: segment.sourceStartMs,
      outputStartMs: framesToMs(segment.startFrame, line.rate),
      speed: line.speed,
    };
    const spoken = spec.shots[index]?.words;
    if (spoken) {
      spokenShots.push(wordsInWindow(spoken, place, before));
      const startMs = Math.max(before.startMs, hookOverlap(layout, hookEndMs, before));
      if (overlay !== '' && overlay !== headline && before.endMs - startMs >= 500)
        lowerThirds.push({ text: overlay, startMs, endMs: before.endMs });
    } else if (overlay !== headline && before.endMs > before.startMs)
      spokenShots.push(wordsFromText(overlay, before));
  });
  const card = { text: variation.callToAction.text, startMs: cardStartMs, endMs: line.totalMs, headline };
  const graphics = motionGraphics({
    layout,
    font,
    hook: { text: variation.hook.text, startMs: 0, endMs: hookEndMs },
    lowerThirds,
    card,
  });
  const drawn = captions({
    style: variation.captionStyle,
    shots: spokenShots,
    box: layout.caption,
    unit: layout.unit,
    accent: layout.accent,
    font,
  });
  return {
    ass: assFile(layout, font, [...drawn.events, ...graphics.events]),
    texts: [...drawn.texts, ...graphics.texts],
    layout,
    card,
    hookEndMs,
    solutionMs,
  };
}

/** A low hook (story) stands where lower thirds stand: they wait for it to leave. */
function hookOverlap(layout: Layout, hookEndMs: number, window: { startMs: number }): number {
  const touches = layout.hook.y + layout.hook.height > layout.lowerThird.y;
  return touches ? hookEndMs : window.startMs;
}

function isRepeated(overlay: string, { variation }: RenderSpec): boolean {
  const same = (a: string, b: string): boolean => plainText(a).toLowerCase() === plainText(b).toLowerCase();
  return same(overlay, variation.hook.text) || same(overlay, variation.callToAction.text);
}
