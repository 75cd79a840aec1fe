// How is the picture of one kind of story laid out?
import type { Format, TEMPLATES } from '../types.ts';
import { FORMATS } from '../types.ts';
import type { Box } from './ass.ts';
import { safeBox } from './safe-zones.ts';

type Template = (typeof TEMPLATES)[number];

/** Where text may stand in one format, and in which accent colour. Boxes lie inside the safe area and do not touch. */
export interface Layout {
  width: number;
  height: number;
  /** The shorter side: text sizes are shares of it. */
  unit: number;
  hook: Box;
  lowerThird: Box;
  caption: Box;
  card: Box;
  logo: Box;
  accent: string;
  /** List ads number their shots. */
  numbered: boolean;
}

const ACCENTS: Record<Template, string> = {
  hook_problem_solution: '#ffd60a',
  before_after: '#34d399',
  demo: '#60a5fa',
  story: '#fb923c',
  list: '#f472b6',
};

export function layoutOf(template: Template, format: Format): Layout {
  const { width, height } = FORMATS[format];
  const unit = Math.min(width, height);
  const safe = safeBox(format);
  const share = (part: number): number => Math.round(unit * part);
  const captionHeight = share(0.19);
  const caption = {
    x: safe.x,
    y: safe.y + safe.height - captionHeight,
    width: safe.width,
    height: captionHeight,
  };
  const thirdHeight = share(0.085);
  const lowerThird = {
    x: safe.x,
    y: caption.y - share(0.03) - thirdHeight,
    width: safe.width,
    height: thirdHeight,
  };
  const logo = { x: safe.x, y: safe.y, width: share(0.18), height: share(0.09) };
  const top = safe.y + share(0.02);
  const hookRoom = lowerThird.y - share(0.02) - top;
  // A story lets the picture speak first: its hook stands low, the others' at the top.
  const hookHeight = Math.min(share(0.51), hookRoom);
  const hookY = template === 'story' ? top + hookRoom - hookHeight : top;
  const hook = { x: safe.x, y: hookY, width: safe.width, height: hookHeight };
  const card = { x: safe.x, y: safe.y + share(0.1), width: safe.width, height: safe.height - share(0.1) };
  return {
    width,
    height,
    unit,
    hook,
    lowerThird,
    caption,
    card,
    logo,
    accent: ACCENTS[template],
    numbered: template === 'list',
  };
}

/**
 * The template's own mark on the picture, drawn below all text: an accent line, letterbox bars, a frame, or, for
 * before/after, muted colours until the solution begins (`solutionMs`, null when there is none).
 */
export function templateFilter(template: Template, layout: Layout, solutionMs: number | null): string {
  const line = Math.round(layout.unit * 0.012);
  const colour = layout.accent.replace('#', '0x');
  switch (template) {
    case 'hook_problem_solution':
      return `drawbox=x=0:y=0:w=iw:h=${line}:color=${colour}:t=fill`;
    case 'before_after':
      return solutionMs === null ? 'null' : `hue=s=0.25:enable='lt(t,${(solutionMs / 1000).toFixed(3)})'`;
    case 'demo':
      return `drawbox=x=0:y=0:w=iw:h=ih:color=${colour}:t=${line}`;
    case 'story': {
      const bar = Math.round(layout.height * 0.04);
      return `drawbox=x=0:y=0:w=iw:h=${bar}:color=black:t=fill,drawbox=x=0:y=ih-${bar}:w=iw:h=${bar}:color=black:t=fill`;
    }
    case 'list':
      return `drawbox=x=0:y=0:w=${line}:h=ih:color=${colour}:t=fill`;
  }
}
