import { describe, expect, it } from 'vitest';
import { bar, duration, openScreen, painter, table } from '../../lib/laptop/screen.ts';

const ESCAPE = String.fromCharCode(27);

function sink(isTTY: boolean): {
  text: () => string;
  write: (text: string) => void;
  isTTY: boolean;
  columns: number;
} {
  let written = '';
  return { isTTY, columns: 60, text: () => written, write: (text) => void (written += text) };
}

describe('a screen', () => {
  it('writes plain lines without control codes to anything but a terminal', () => {
    const out = sink(false);
    const screen = openScreen(out, {});
    const step = screen.step('Rendering');
    for (const share of [0.1, 0.26, 0.3, 0.55, 0.8, 1]) step.progress(share);
    screen.live('never seen');
    step.done('all of it');
    screen.line(screen.paint.bad('end'));
    const lines = out.text().split('\n');
    expect(lines[0]).toBe('Rendering …');
    expect(lines.slice(1, 4)).toEqual(['  Rendering: 25 %', '  Rendering: 50 %', '  Rendering: 75 %']);
    expect(lines[4]).toMatch(/^✓ Rendering: all of it \(\d+ ms\)$/);
    expect(lines[5]).toBe('end');
    expect(out.text()).not.toContain(ESCAPE);
    expect(out.text()).not.toContain('\r');
  });

  it('redraws one live line on a terminal, never wider than it, and leaves complete lines above', () => {
    const out = sink(true);
    const screen = openScreen(out, {});
    screen.live('x'.repeat(200));
    screen.line('a state ended');
    screen.close();
    expect(out.text()).toContain(`\r${ESCAPE}[Ka state ended\n`);
    for (const row of out.text().split(/[\r\n]/))
      expect(row.replaceAll(`${ESCAPE}[K`, '').length).toBeLessThanOrEqual(60);
    expect(out.text().endsWith(`\r${ESCAPE}[K`)).toBe(true);
  });

  it('has no colours when NO_COLOR is set, and no live line on a dumb terminal', () => {
    expect(openScreen(sink(true), { NO_COLOR: '1' }).paint.good('x')).toBe('x');
    expect(openScreen(sink(true), {}).paint.good('x')).toBe(`${ESCAPE}[32mx${ESCAPE}[39m`);
    const dumb = sink(true);
    const screen = openScreen(dumb, { TERM: 'dumb' });
    screen.live('moving');
    screen.close();
    expect(dumb.text()).toBe('');
  });
});

describe('formatting', () => {
  it('draws a bar within its bounds', () => {
    expect(bar(0.5, 4)).toBe('██░░  50 %');
    expect(bar(-1, 4)).toBe('░░░░   0 %');
    expect(bar(7, 4)).toBe('████ 100 %');
  });

  it('says durations as a person would', () => {
    expect([850, 3_210, 65_000, 3_599_600, 86_400_000].map(duration)).toEqual([
      '850 ms',
      '3.2 s',
      '1 min 05 s',
      '1 h 00 min',
      '24 h 00 min',
    ]);
  });

  it('aligns tables', () => {
    expect(
      table(
        [{ title: 'a' }, { title: 'n', right: true }],
        [
          ['long', '1'],
          ['b', '22'],
        ],
      ),
    ).toEqual(['a      n', 'long   1', 'b     22']);
    expect(painter(false).bold('x')).toBe('x');
  });
});
