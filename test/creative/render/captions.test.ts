import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { assFile } from '../../../lambdas/creative/render/ass.ts';
import {
  STYLES,
  captions,
  chunks,
  wordsFromText,
  wordsInWindow,
} from '../../../lambdas/creative/render/captions.ts';
import { FONT_PATH, font, frames, workDirectory } from './sample.ts';

const work = workDirectory();

describe('captions', () => {
  const word = (text: string, startMs: number, endMs: number) => ({ text, startMs, endMs });
  const box = { x: 0, y: 150, width: 300, height: 60 };
  const spec = { box, unit: 300, accent: '#ffd60a', font };

  it('says in ASS when and where each stands', () => {
    const { events } = captions({
      ...spec,
      style: 'bold',
      shots: [[word('hello', 400, 600), word('there', 600, 800)]],
    });
    expect(events).toEqual([
      {
        layer: 2,
        startMs: 400,
        endMs: 800,
        body: '{\\an5\\pos(150,180)\\fs28\\bord2.4\\shad0\\1c&HFFFFFF&\\3c&H000000&}HELLO THERE',
      },
    ]);
  });

  it('change the caption band while the word is spoken and nothing else', async () => {
    const size = { width: 300, height: 240 };
    const { events } = captions({ ...spec, style: 'boxed', shots: [[word('hello', 400, 800)]] });
    await mkdir(work.path('fonts'), { recursive: true });
    await copyFile(FONT_PATH, work.path('fonts', 'font.ttf'));
    await writeFile(work.path('c.ass'), assFile(size, font, events));
    const bytes = await frames(
      ['color=gray:s=300x240:r=10:d=1.2'],
      `[0:v]ass=filename=${work.path('c.ass')}:fontsdir=${work.path('fonts')}[out]`,
    );
    const changed = Array.from({ length: 12 }, (_, index) => {
      const frame = bytes.subarray(index * 72_000, (index + 1) * 72_000);
      const first = bytes.subarray(0, 72_000);
      const band = frame.subarray(150 * 300, 210 * 300).equals(first.subarray(150 * 300, 210 * 300));
      expect(frame.subarray(0, 150 * 300).equals(first.subarray(0, 150 * 300))).toBe(true);
      return !band;
    });
    expect(changed).toEqual([false, false, false, false, true, true, true, true, false, false, false, false]);
  });

  it('karaoke repeats the line once per word with that word in the accent colour', () => {
    const { events } = captions({
      ...spec,
      style: 'karaoke',
      shots: [[word('one', 0, 200), word('two', 300, 500)]],
    });
    expect(events.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 300],
      [300, 500],
    ]);
    expect(events[0]?.body).toContain('{\\1c&H0AD6FF&}one{\\1c&HFFFFFF&} two');
    expect(events[1]?.body).toContain('one {\\1c&H0AD6FF&}two');
  });

  it('follow the ad: source words are moved, sped up and cut to the shot', () => {
    const words = [
      { text: 'a', startMs: 1000, endMs: 1200, confidence: 1 },
      { text: 'b', startMs: 1800, endMs: 2600, confidence: 1 },
      { text: 'c', startMs: 9000, endMs: 9100, confidence: 1 },
    ];
    const place = { sourceStartMs: 1000, outputStartMs: 500, speed: 2 };
    expect(wordsInWindow(words, place, { startMs: 500, endMs: 1000 })).toEqual([
      word('a', 500, 600),
      word('b', 900, 1000),
    ]);
  });

  it('spread the plan’s text over the shot without gaps, and break chunks at pauses and sentences', () => {
    const words = wordsFromText('Stop. Wait for it', { startMs: 100, endMs: 1300 });
    expect(words[0]?.startMs).toBe(100);
    expect(words.at(-1)?.endMs).toBe(1300);
    expect(words.slice(1).every((each, index) => each.startMs === words[index]?.endMs)).toBe(true);
    expect(chunks(words, STYLES.bold).map((chunk) => chunk.map((each) => each.text).join(' '))).toEqual([
      'Stop.',
      'Wait for it',
    ]);
    expect(chunks([word('a', 0, 100), word('b', 900, 1000)], STYLES.minimal)).toHaveLength(2);
  });
});
