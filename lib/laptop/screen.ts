// How does a person see what is happening: lines, steps with progress bars, colours?
import type { WriteStream } from 'node:tty';

export interface Sink {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

export interface Step {
  /** 0..1, with a note behind the bar. Without a share only the note changes. */
  progress(share: number | undefined, note?: string): void;
  done(note?: string): void;
  fail(note?: string): void;
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
}

export interface Screen {
  readonly paint: Paint;
  /** Complete lines; the live line stays below them. */
  line(text?: string): void;
  /** Something that takes time: a live line on a terminal, plain lines elsewhere. */
  step(label: string, indent?: string): Step;
  /** A line where there is no live line to look at. */
  note(text: string): void;
  /** Replaces the live line; nothing on anything but a terminal. */
  live(text: string | undefined): void;
  /** Stops whatever moves. */
  close(): void;
}

const REDRAW_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** `[########··········]  42 %` */
export function bar(share: number, width = 24): string {
  const within = Math.min(1, Math.max(0, share));
  const full = Math.round(within * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.round(within * 100)).padStart(3)} %`;
}

/** `850 ms`, `3.2 s`, `1 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3_600)} h ${String(Math.floor((seconds % 3_600) / 60)).padStart(2, '0')} min`;
}

const ESCAPE = String.fromCharCode(27);

/** Colours on a terminal unless NO_COLOR is set (https://no-color.org) or TERM is dumb. */
export function painter(coloured: boolean): Paint {
  const code = (open: number, close: number) => (text: string) =>
    coloured ? `${ESCAPE}[${open}m${text}${ESCAPE}[${close}m` : text;
  return { bold: code(1, 22), dim: code(2, 22), good: code(32, 39), bad: code(31, 39), warn: code(33, 39) };
}

/** A screen on a stream; anything but a terminal gets plain lines without control codes. */
export function openScreen(
  sink: Sink | WriteStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Screen {
  const interactive = sink.isTTY === true && env['TERM'] !== 'dumb';
  const paint = painter(interactive && (env['NO_COLOR'] ?? '') === '');
  let shown = false;
  let liveText: string | undefined;
  let spinner: (() => string) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;

  const erase = (): void => {
    if (shown) sink.write(`\r${ESCAPE}[K`);
    shown = false;
  };
  const draw = (): void => {
    if (!interactive) return;
    const text = spinner?.() ?? liveText;
    erase();
    if (text === undefined) return;
    frame += 1;
    // One row only: what wraps could not be erased.
    const columns = Math.max(20, (sink.columns || 80) - 3);
    sink.write(
      `${FRAMES[frame % FRAMES.length]} ${text.length > columns ? `${text.slice(0, columns - 1)}…` : text}`,
    );
    shown = true;
  };
  const animate = (): void => {
    const needed = spinner !== undefined || liveText !== undefined;
    if (!needed) {
      clearInterval(timer);
      timer = undefined;
    } else if (interactive) {
      timer ??= setInterval(draw, REDRAW_MS).unref();
    }
    draw();
  };
  const line = (text = ''): void => {
    erase();
    sink.write(`${text}\n`);
    draw();
  };

  return {
    paint,
    line,
    note(text) {
      if (!interactive) line(text);
    },
    live(text) {
      liveText = text;
      animate();
    },
    step(label, indent = '') {
      const startedAt = Date.now();
      let share: number | undefined;
      let note = '';
      let quarters = 0;
      const own = (): string =>
        `${label} ${share === undefined ? '' : bar(share)} ${note} ${duration(Date.now() - startedAt)}`.replaceAll(
          / {2,}(?=\S)/g,
          ' ',
        );
      spinner = own;
      if (!interactive) sink.write(`${indent}${label} …\n`);
      animate();
      const end = (mark: string, text: string): void => {
        if (spinner === own) spinner = undefined;
        animate();
        line(
          `${indent}${mark} ${label}${text === '' ? '' : `: ${text}`} ${paint.dim(`(${duration(Date.now() - startedAt)})`)}`,
        );
      };
      return {
        progress(nextShare, nextNote) {
          share = nextShare ?? share;
          note = nextNote ?? note;
          const reached = Math.floor((share ?? 0) * 4);
          if (!interactive && reached > quarters && reached < 4)
            sink.write(`${indent}  ${label}: ${reached * 25} %\n`);
          quarters = Math.max(quarters, reached);
        },
        done: (text = '') => end(paint.good('✓'), text),
        fail: (text = '') => end(paint.bad('✗'), text),
      };
    },
    close() {
      clearInterval(timer);
      timer = undefined;
      spinner = undefined;
      liveText = undefined;
      erase();
    },
  };
}

/** Columns padded to their widest cell; numbers (right: true) to the right. */
export function table(
  columns: readonly { title: string; right?: boolean }[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  const format = (cells: readonly string[]): string =>
    columns
      .map(({ right }, at) => {
        const cell = cells[at] ?? '';
        return right === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!);
      })
      .join('  ')
      .trimEnd();
  return [format(columns.map(({ title }) => title)), ...rows.map(format)];
}
