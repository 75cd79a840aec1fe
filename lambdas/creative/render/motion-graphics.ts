// Which hook, lower thirds and call-to-action card stand on the picture?
import type { Drawing } from './ass.ts';
import { assColour, drawable, escapeAss, fitText, roundedBox, textWidthPx } from './ass.ts';
import type { Font } from './font.ts';
import type { Layout } from './templates.ts';

/** Text that stands from `startMs` until `endMs` of the ad. */
export interface Timed {
  text: string;
  startMs: number;
  endMs: number;
}

export interface MotionGraphicsSpec {
  layout: Layout;
  font: Font;
  hook: Timed;
  lowerThirds: readonly Timed[];
  /** `headline` is a line above the button, empty for none. */
  card: Timed & { headline: string };
}

const HOOK_MOST_MS = 3000;
const CARD_LEAST_MS = 1200;
const CARD_MOST_MS = 2500;
/** What is left of the light behind the card: nothing brighter than `#4d4d4d`, on which white text keeps a ratio of 8. */
const DIMMED = 0.3;
const DIMMED_WHITE = '#4d4d4d';
const PLATE_OPACITY = 0.85;
const PLATE_ON_WHITE = '#262626';

/** When the hook leaves and the card comes, in an ad of `totalMs`. */
export function cardAndHookTimes(totalMs: number): { hookEndMs: number; cardStartMs: number } {
  const card = Math.min(CARD_MOST_MS, Math.max(CARD_LEAST_MS, totalMs * 0.25));
  return {
    hookEndMs: Math.round(Math.min(HOOK_MOST_MS, totalMs * 0.4)),
    cardStartMs: Math.round(totalMs - card),
  };
}

/** Darkens the whole picture behind the card. */
export function cardBackdrop(card: Timed): string {
  const chroma = `128+(val-128)*${DIMMED}`;
  return `lutyuv=y='16+(val-16)*${DIMMED}':u='${chroma}':v='${chroma}':enable='gte(t,${(card.startMs / 1000).toFixed(3)})'`;
}

/** ASS events of everything that is neither picture nor caption. */
export function motionGraphics(spec: MotionGraphicsSpec): Drawing {
  const drawing: Drawing = { events: [], texts: [] };
  drawHook(drawing, spec);
  for (const third of spec.lowerThirds) drawLowerThird(drawing, spec, third);
  drawCard(drawing, spec);
  return drawing;
}

function drawHook(drawing: Drawing, { layout, font, hook }: MotionGraphicsSpec): void {
  const outline = layout.unit * 0.008;
  const { lines, fontPx } = fitText(hook.text, font, {
    fontPx: Math.min(Math.round(layout.unit * 0.17), Math.floor(layout.hook.height / 3)),
    maxWidthPx: layout.hook.width - 4 * outline,
    maxLines: 3,
  });
  // Line heights of the font leave wide gaps between few big lines.
  const lineHeight = fontPx * 0.88;
  lines.forEach((line, index) => {
    const width = textWidthPx(line, font, fontPx) + 2 * outline;
    const centreX = layout.hook.x + layout.hook.width / 2;
    const centreY = layout.hook.y + fontPx / 2 + index * lineHeight;
    const colour = index === lines.length - 1 && lines.length > 1 ? layout.accent : '#ffffff';
    drawing.texts.push({
      what: 'hook',
      text: line,
      startMs: hook.startMs,
      endMs: hook.endMs,
      fontPx,
      colour,
      background: '#000000',
      x: centreX - width / 2,
      y: centreY - lineHeight / 2,
      width,
      height: lineHeight,
    });
    const motion = `\\fscx90\\fscy90\\t(0,160,\\fscx100\\fscy100)\\fad(0,160)`;
    const look = `\\an5\\pos(${Math.round(centreX)},${Math.round(centreY)})\\fs${fontPx}\\bord${outline.toFixed(1)}\\shad${(outline / 2).toFixed(1)}\\1c${assColour(colour)}\\3c${assColour('#000000')}`;
    drawing.events.push({
      layer: 4,
      startMs: hook.startMs,
      endMs: hook.endMs,
      body: `{${look}${motion}}${escapeAss(line)}`,
    });
  });
}

function drawLowerThird(drawing: Drawing, { layout, font }: MotionGraphicsSpec, third: Timed): void {
  const area = layout.lowerThird;
  const padding = Math.round(layout.unit * 0.025);
  const bar = Math.round(layout.unit * 0.012);
  const { lines, fontPx } = fitText(third.text, font, {
    fontPx: Math.round(layout.unit * 0.055),
    maxWidthPx: area.width - 2 * padding - bar,
    maxLines: 1,
  });
  const line = lines[0];
  if (line === undefined) return;
  const plate = {
    x: area.x,
    y: area.y,
    width: textWidthPx(line, font, fontPx) + 2 * padding + bar,
    height: area.height,
  };
  const when = { startMs: third.startMs, endMs: third.endMs };
  drawing.texts.push({
    what: 'lower-third',
    text: line,
    ...when,
    fontPx,
    colour: '#ffffff',
    background: PLATE_ON_WHITE,
    ...plate,
  });
  const fade = '{\\fad(150,100)}';
  drawing.events.push(
    { layer: 1, ...when, body: fade + roundedBox(plate, layout.unit * 0.012, '#000000', PLATE_OPACITY) },
    { layer: 2, ...when, body: fade + roundedBox({ ...plate, width: bar }, bar / 2, layout.accent, 1) },
    {
      layer: 3,
      ...when,
      body: `{\\an4\\pos(${Math.round(plate.x + bar + padding)},${Math.round(plate.y + plate.height / 2)})\\fs${fontPx}\\bord0\\shad0\\1c${assColour('#ffffff')}\\fad(150,100)}${escapeAss(line)}`,
    },
  );
}

function drawCard(drawing: Drawing, { layout, font, card }: MotionGraphicsSpec): void {
  const centreX = layout.card.x + layout.card.width / 2;
  const centreY = layout.card.y + layout.card.height / 2;
  const when = { startMs: card.startMs, endMs: card.endMs };
  const padding = layout.unit * 0.06;
  const button = fitText(card.text, font, {
    fontPx: Math.round(layout.unit * 0.095),
    maxWidthPx: layout.card.width - 2 * padding,
    maxLines: 1,
  });
  const label = button.lines[0] ?? '';
  const height = button.fontPx * 1.7;
  const width = textWidthPx(label, font, button.fontPx) + 2 * padding;
  const headline = fitText(card.headline, font, {
    fontPx: Math.round(layout.unit * 0.085),
    maxWidthPx: layout.card.width * 0.96,
    maxLines: 3,
  });
  const headlineHeight = headline.lines.length * headline.fontPx;
  const gap = headline.lines.length > 0 ? layout.unit * 0.05 : 0;
  const top = centreY - (height + headlineHeight + gap) / 2;
  headline.lines.forEach((line, index) => {
    const y = top + (index + 0.5) * headline.fontPx;
    const lineWidth = textWidthPx(line, font, headline.fontPx);
    drawing.texts.push({
      what: 'call-to-action',
      text: line,
      ...when,
      fontPx: headline.fontPx,
      colour: '#ffffff',
      background: DIMMED_WHITE,
      x: centreX - lineWidth / 2,
      y: y - headline.fontPx / 2,
      width: lineWidth,
      height: headline.fontPx,
    });
    drawing.events.push({
      layer: 6,
      ...when,
      body: `{\\an5\\pos(${Math.round(centreX)},${Math.round(y)})\\fs${headline.fontPx}\\bord0\\shad0\\1c${assColour('#ffffff')}\\fad(150,0)}${escapeAss(line)}`,
    });
  });
  const plate = { x: centreX - width / 2, y: top + headlineHeight + gap, width, height };
  const ink = '#111111';
  drawing.texts.push({
    what: 'call-to-action',
    text: label,
    ...when,
    fontPx: button.fontPx,
    colour: ink,
    background: layout.accent,
    ...plate,
  });
  drawing.events.push(
    { layer: 5, ...when, body: roundedBox(plate, height / 2, layout.accent, 1) },
    {
      layer: 6,
      ...when,
      body: `{\\an5\\pos(${Math.round(centreX)},${Math.round(plate.y + height / 2)})\\fs${button.fontPx}\\bord0\\shad0\\1c${assColour(ink)}}${escapeAss(label)}`,
    },
  );
}

/** The plan's overlay as it is drawn; `position` is its number in a list ad, null elsewhere. */
export function overlayText(text: string, position: number | null, font: Font): string {
  const drawn = drawable(text, font);
  return position !== null && drawn !== '' ? `${position}. ${drawn}` : drawn;
}
