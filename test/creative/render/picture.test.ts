import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assFile } from '../../../lambdas/creative/render/ass.ts';
import { logoOverlay } from '../../../lambdas/creative/render/asset-library.ts';
import {
  STYLES,
  captions,
  chunks,
  wordsFromText,
  wordsInWindow,
} from '../../../lambdas/creative/render/captions.ts';
import { colourGrade } from '../../../lambdas/creative/render/colour-grade.ts';
import { keyframes, movesFor } from '../../../lambdas/creative/render/keyframes.ts';
import { cardBackdrop, motionGraphics } from '../../../lambdas/creative/render/motion-graphics.ts';
import { previewArgs, previewFilter } from '../../../lambdas/creative/render/preview-proxy.ts';
import { cropWindow, smartCrop } from '../../../lambdas/creative/render/smart-crop.ts';
import { layoutOf, templateFilter } from '../../../lambdas/creative/render/templates.ts';
import { joinVideo } from '../../../lambdas/creative/render/transitions.ts';
import { TEMPLATES } from '../../../lambdas/creative/types.ts';
import { measureOutput } from '../../../lambdas/creative/render/measure-output.ts';
import { FONT_PATH, ffmpeg, font, frames, makeSource, mean, workDirectory } from './sample.ts';

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

describe('colour grade', () => {
  const averages = async (grade: Parameters<typeof colourGrade>[0]) => {
    const filter = colourGrade(grade) ?? 'null';
    const bytes = await frames(['testsrc2=s=64x64:d=0.1:r=10'], `[0:v]format=yuv420p,${filter}[out]`, {
      pix: 'yuv420p',
    });
    const plane = (from: number, length: number): number =>
      bytes.subarray(from, from + length).reduce((sum, value) => sum + value, 0) / length;
    const u = bytes.subarray(4096, 5120);
    return {
      y: plane(0, 4096),
      u: plane(4096, 1024),
      v: plane(5120, 1024),
      colour: u.reduce((sum, value) => sum + Math.abs(value - 128), 0) / 1024,
    };
  };

  it('is one table per plane', () => {
    expect(colourGrade('neutral')).toBeNull();
    expect(colourGrade('warm')).toBe(
      "lutyuv=y='clip(val*1.02,16,235)':u='clip(val-9,16,240)':v='clip(val+8,16,240)'",
    );
  });

  it('shifts the mean chroma the way its name says', async () => {
    const [neutral, warm, cool, vivid, cinematic, mono] = await Promise.all(
      (['neutral', 'warm', 'cool', 'vivid', 'cinematic', 'mono'] as const).map(averages),
    );
    if (!neutral || !warm || !cool || !vivid || !cinematic || !mono) throw new Error('no frames');
    expect(warm.v - neutral.v).toBeGreaterThan(4);
    expect(warm.u - neutral.u).toBeLessThan(-4);
    expect(cool.u - neutral.u).toBeGreaterThan(4);
    expect(vivid.colour).toBeGreaterThan(neutral.colour * 1.15);
    expect(cinematic.colour).toBeLessThan(neutral.colour * 0.9);
    expect(mono.u).toBe(128);
    expect(mono.v).toBe(128);
  });
});

describe('smart crop', () => {
  it('keeps the target’s shape, inside the frame and even, for any sizes', () => {
    const side = fc.integer({ min: 64, max: 4000 });
    fc.assert(
      fc.property(side, side, side, side, (sw, sh, tw, th) => {
        const window = cropWindow({ source: { width: sw, height: sh }, target: { width: tw, height: th } });
        expect((window.width % 2) + (window.height % 2)).toBe(0);
        expect(window.width).toBeLessThanOrEqual(sw);
        expect(window.height).toBeLessThanOrEqual(sh);
      }),
    );
    expect(
      cropWindow({ source: { width: 1280, height: 720 }, target: { width: 1080, height: 1920 } }),
    ).toEqual({ width: 404, height: 720 });
  });

  it('writes a still window as numbers and a path as lines', () => {
    const still = {
      source: { width: 320, height: 180 },
      target: { width: 90, height: 160 },
      focus: [{ atMs: 0, x: 1, y: 0.5 }],
    };
    expect(smartCrop(still)).toBe("crop=100:180:x='220':y='0'");
    const path = {
      ...still,
      focus: [
        { atMs: 0, x: 0, y: 0.5 },
        { atMs: 1000, x: 1, y: 0.5 },
      ],
    };
    expect(smartCrop(path)).toBe("crop=100:180:x='if(lt(t,1),0+(t-0)*220.000,220)':y='0'");
  });

  it('keeps a moving object in the middle', async () => {
    const focus = [
      { atMs: 0, x: 0.25, y: 0.5 },
      { atMs: 2000, x: 0.75, y: 0.5 },
    ];
    const crop = smartCrop({
      source: { width: 320, height: 180 },
      target: { width: 90, height: 160 },
      focus,
    });
    const moving = "[1:v][0:v]overlay=x='80+80*t-10':y=80[moving];[moving]";
    const bytes = await frames(
      ['color=white:s=20x20:r=10:d=2', 'color=black:s=320x180:r=10:d=2'],
      `${moving}${crop}[out]`,
    );
    for (let index = 0; index < 20; index++) {
      const frame = bytes.subarray(index * 18_000, (index + 1) * 18_000);
      expect(mean(frame, 100, { x: 42, y: 82, width: 16, height: 16 })).toBeGreaterThan(200);
    }
  });
});

describe('keyframes', () => {
  it('write a zoom as one scale per frame and a cut about the centre', () => {
    expect(
      keyframes(
        [
          { atSeconds: 0, zoom: 1 },
          { atSeconds: 2, zoom: 1.1 },
        ],
        { width: 100, height: 60 },
      ),
    ).toBe(
      "scale=w='2*ceil(50*(if(lt(t,2),1+(t-0)*(0.05000),1.1)))':h='2*ceil(30*(if(lt(t,2),1+(t-0)*(0.05000),1.1)))':eval=frame:flags=bicubic,crop=100:60,setsar=1",
    );
    expect(keyframes(movesFor('cta', 'fast', 3), { width: 100, height: 60 })).toBe(
      'scale=100:60:flags=bicubic,setsar=1',
    );
  });

  it('make what is in the middle grow', async () => {
    const dot = '[0:v]drawbox=x=80:y=80:w=40:h=40:color=white:t=fill,';
    const filter = keyframes(
      [
        { atSeconds: 0, zoom: 1 },
        { atSeconds: 1, zoom: 1.5 },
      ],
      { width: 200, height: 200 },
    );
    const bytes = await frames(['color=black:s=200x200:r=10:d=1.1'], `${dot}${filter}[out]`);
    const lit = (index: number): number =>
      bytes.subarray(index * 40_000, (index + 1) * 40_000).filter((value) => value > 128).length;
    expect(lit(0)).toBeCloseTo(1600, -2);
    expect(lit(10)).toBeGreaterThan(1600 * 2);
  });
});

describe('transitions', () => {
  const join = { kind: 'fade', duration: '0.400000', offset: '0.600000' } as const;

  it('are xfade, or a plain join for a cut', () => {
    expect(joinVideo('a', 'b', 'o', join)).toBe(
      '[a][b]xfade=transition=fade:duration=0.400000:offset=0.600000[o]',
    );
    expect(joinVideo('a', 'b', 'o', { ...join, kind: 'cut' })).toBe('[a][b]concat=n=2:v=1:a=0,settb=AVTB[o]');
  });

  it('show both shots in the middle', async () => {
    const middle = async (
      kind: 'fade' | 'wipeleft' | 'slideup' | 'circleopen' | 'dissolve',
    ): Promise<number> => {
      const graph = `[0:v]settb=AVTB[a];[1:v]settb=AVTB[b];${joinVideo('a', 'b', 'out', { ...join, kind })}`;
      const bytes = await frames(['color=black:s=40x40:r=10:d=1', 'color=white:s=40x40:r=10:d=1'], graph);
      expect(bytes.length).toBe(16 * 1600);
      return mean(bytes.subarray(8 * 1600, 9 * 1600), 40, { x: 0, y: 0, width: 40, height: 40 });
    };
    for (const kind of ['fade', 'wipeleft', 'slideup', 'circleopen', 'dissolve'] as const) {
      const level = await middle(kind);
      expect(level).toBeGreaterThan(60);
      expect(level).toBeLessThan(200);
    }
  });
});

describe('templates', () => {
  it('lay text out inside the picture without overlaps, in every format', () => {
    for (const template of TEMPLATES)
      for (const format of ['9:16', '1:1', '4:5', '16:9'] as const) {
        const { hook, lowerThird, caption } = layoutOf(template, format);
        expect(hook.y + hook.height, `${template} ${format}`).toBeLessThanOrEqual(lowerThird.y);
        expect(lowerThird.y + lowerThird.height).toBeLessThanOrEqual(caption.y);
      }
  });

  it('mute the time before the solution, and only in a before-and-after', async () => {
    const layout = layoutOf('before_after', '1:1');
    expect(templateFilter('before_after', layout, 1000)).toBe("hue=s=0.25:enable='lt(t,1.000)'");
    expect(templateFilter('before_after', layout, null)).toBe('null');
    const bytes = await frames(
      ['color=red:s=16x16:r=2:d=2'],
      `[0:v]format=yuv420p,${templateFilter('before_after', layout, 1000)}[out]`,
      { pix: 'yuv420p' },
    );
    const redness = (index: number): number => (bytes[index * 384 + 320] ?? 0) - 128;
    expect(redness(0)).toBeLessThan(redness(3) * 0.4);
  });

  it('each put their own mark on the picture', async () => {
    const seen = new Set<string>();
    for (const template of ['hook_problem_solution', 'demo', 'story', 'list'] as const) {
      const layout = { ...layoutOf(template, '1:1'), unit: 200, width: 200, height: 200 };
      const bytes = await frames(
        ['color=gray:s=200x200:r=1:d=1'],
        `[0:v]${templateFilter(template, layout, null)}[out]`,
      );
      seen.add(bytes.toString('base64'));
    }
    expect(seen.size).toBe(4);
  });
});

describe('motion graphics', () => {
  const layout = layoutOf('demo', '1:1');
  const spec = {
    layout,
    font,
    hook: { text: 'Big question?', startMs: 0, endMs: 400 },
    lowerThirds: [{ text: 'A fact', startMs: 400, endMs: 800 }],
    card: { text: 'Book a call', headline: 'Ready?', startMs: 800, endMs: 1200 },
  };

  it('darken the picture behind the card and write everything as text', () => {
    expect(cardBackdrop(spec.card)).toBe(
      "lutyuv=y='16+(val-16)*0.3':u='128+(val-128)*0.3':v='128+(val-128)*0.3':enable='gte(t,0.800)'",
    );
    expect(motionGraphics(spec).texts.map(({ what, text, startMs }) => [what, text, startMs])).toEqual([
      ['hook', 'Big question?', 0],
      ['lower-third', 'A fact', 400],
      ['call-to-action', 'Ready?', 800],
      ['call-to-action', 'Book a call', 800],
    ]);
  });

  it('show hook, lower third and card each in their own time and place', async () => {
    await mkdir(work.path('fonts'), { recursive: true });
    await copyFile(FONT_PATH, work.path('fonts', 'font.ttf'));
    await writeFile(work.path('m.ass'), assFile(layout, font, motionGraphics(spec).events));
    const graph = `[0:v]format=yuv420p,${cardBackdrop(spec.card)},ass=filename=${work.path('m.ass')}:fontsdir=${work.path('fonts')},format=gray[out]`;
    const bytes = await frames(['color=gray:s=1080x1080:r=5:d=1.2'], graph);
    const at = (index: number, box: { x: number; y: number; width: number; height: number }): number => {
      const area = {
        x: Math.ceil(box.x),
        y: Math.ceil(box.y),
        width: Math.floor(box.width),
        height: Math.floor(box.height),
      };
      const frame = bytes.subarray(index * 1_166_400, (index + 1) * 1_166_400);
      let sum = 0;
      for (let y = area.y; y < area.y + area.height; y++)
        for (let x = area.x; x < area.x + area.width; x++)
          sum += Math.abs((frame[y * 1080 + x] ?? 0) - 126) > 40 ? 1 : 0;
      return sum / (area.width * area.height);
    };
    const button = motionGraphics(spec).texts.at(-1);
    if (button === undefined) throw new Error('no button');
    expect(at(1, layout.hook)).toBeGreaterThan(0.1);
    expect(at(3, layout.hook)).toBeLessThan(0.01);
    expect(at(3, layout.lowerThird)).toBeGreaterThan(0.05);
    expect(at(1, layout.lowerThird)).toBe(0);
    // The last frame: picture darkened, button light with dark letters.
    const corner = mean(bytes.subarray(5 * 1_166_400), 1080, { x: 10, y: 10, width: 40, height: 40 });
    const plate = mean(bytes.subarray(5 * 1_166_400), 1080, {
      x: Math.ceil(button.x + button.height / 2),
      y: Math.ceil(button.y + 4),
      width: 60,
      height: 8,
    });
    expect(corner).toBeLessThan(70);
    expect(plate).toBeGreaterThan(110);
  });
});

describe('asset library', () => {
  it('places a logo in the corner of the safe area once the hook has left', async () => {
    const layout = { ...layoutOf('demo', '1:1'), logo: { x: 10, y: 12, width: 20, height: 10 } };
    const overlay = logoOverlay('v', '1:v', 'out', layout, 500);
    expect(overlay).toBe(
      "[1:v]scale=20:10:force_original_aspect_ratio=decrease,format=rgba[outlogo];[v][outlogo]overlay=10:12:enable='gte(t,0.500)':eof_action=repeat:format=yuv420[out]",
    );
    const bytes = await frames(
      ['color=black:s=60x60:r=4:d=1', 'color=white:s=40x20:d=0.1:r=10'],
      `[0:v]null[v];${overlay}`,
    );
    const inside = { x: 12, y: 14, width: 16, height: 6 };
    expect(mean(bytes.subarray(0, 3600), 60, inside)).toBeLessThan(20);
    expect(mean(bytes.subarray(3 * 3600), 60, inside)).toBeGreaterThan(200);
    expect(mean(bytes.subarray(3 * 3600), 60, { x: 40, y: 30, width: 20, height: 30 })).toBeLessThan(20);
  });
});

describe('preview proxy', () => {
  it('has the asked height, and nothing outside 240 to 720', async () => {
    expect(previewFilter(240)).toBe('scale=-2:240:flags=bilinear');
    for (const wrong of [238, 241, 722, 480.5])
      expect(() => previewFilter(wrong)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    const source = await makeSource(work.path('source.mp4'), '640x360', 1);
    await ffmpeg.run(previewArgs(source, work.path('preview.mp4'), 240));
    const measured = await measureOutput(work.path('preview.mp4'), ffmpeg);
    expect([measured.width, measured.height]).toEqual([426, 240]);
  });
});
