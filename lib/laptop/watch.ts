// What does a person see of the states of an execution while they happen?
import type { Transition } from '../local/states/engine.ts';
import { duration, type Screen, type Step } from './screen.ts';
import type { StateInfo } from './states.ts';

/** How often the history row is read for the bars. */
export const PROGRESS_EVERY_MS = 400;
const SLOW_STATE_MS = 2_000;

export interface Progress {
  phase: string;
  percent: number;
  message: string;
}

export interface Watch {
  hear(transition: Transition): void;
  /** The state that waits for somebody, if one does. */
  asking(): string | undefined;
  skipped(ms: number): void;
  refresh(read: () => Promise<Progress | undefined>): Promise<void>;
  close(): void;
}

interface Visit {
  at: number;
  realAt: number;
  slowTold: boolean;
}

/** Transitions carry a failure's name only; our functions log the sentence. Feed it every line that they write. */
export function rememberReasons(reasons: Map<string, string>): (functionName: string, line: string) => void {
  return (_functionName, line) => {
    if (!line.includes('"step failed"')) return;
    const { state, reason } = JSON.parse(line) as { state?: string; reason?: string };
    if (state !== undefined && reason !== undefined) reasons.set(state, reason);
  };
}

/** `reasons`: state → why its last attempt failed. */
export function watchStates(
  screen: Screen,
  states: ReadonlyMap<string, StateInfo>,
  reasons: ReadonlyMap<string, string>,
): Watch {
  const { paint } = screen;
  const open = new Map<string, Visit[]>();
  const maps = new Map<string, { step: Step; share: number; entered: number; left: number }>();
  let skippedMs = 0;
  const width = Math.max(...[...states.keys()].map((name) => name.length), 10);

  const infoOf = (name: string): StateInfo =>
    states.get(name) ?? { type: 'Task', comment: '', asksSomebody: false };
  const leave = (name: string): Visit | undefined => {
    const visits = open.get(name);
    const visit = visits?.shift();
    if (visits?.length === 0) open.delete(name);
    return visit;
  };
  const show = (mark: string, name: string, rest: string): void =>
    screen.line(`  ${mark} ${name.padEnd(width)}  ${rest}`);
  const why = (name: string, error = 'failed'): string => {
    const reason = reasons.get(name);
    return reason === undefined ? error : `${error}: ${reason}`;
  };
  const renderBar = (): { step: Step; share: number; entered: number; left: number } | undefined =>
    [...maps.values()].at(-1);

  return {
    hear({ stateName: name, type, status, error, at, attempt }) {
      if (name === undefined) return;
      const info = infoOf(name);
      if (type === 'entered') {
        open.set(name, [...(open.get(name) ?? []), { at, realAt: Date.now(), slowTold: false }]);
        if (info.type === 'Map' && maps.size === 0) {
          maps.set(name, { step: screen.step(name, '  '), share: 0, entered: 0, left: 0 });
        } else if (info.type === 'Task') {
          const bar = renderBar();
          if (bar !== undefined) bar.entered += 1;
        }
        return;
      }
      if (type === 'retried') {
        show(paint.warn('↻'), name, paint.warn(`${why(name, error)}; attempt ${attempt + 1} follows`));
        return;
      }
      const visit = leave(name);
      if (visit === undefined) return;
      screen.live(undefined);
      const lasted = duration(at - visit.at);
      const tries = attempt > 1 ? paint.warn(`  (${attempt} attempts)`) : '';
      const map = maps.get(name);
      if (map !== undefined) {
        maps.delete(name);
        if (type === 'failed') map.step.fail(error ?? status);
        else map.step.done(info.comment);
        return;
      }
      const bar = renderBar();
      if (bar !== undefined && info.type === 'Task') bar.left += 1;
      if (type === 'failed') {
        show(
          paint.bad('✗'),
          name,
          `${paint.bad(why(name, error ?? status))}  ${lasted}${status === 'CAUGHT' ? '  → its Catch takes over' : ''}`,
        );
      } else if (info.type === 'Wait' && skippedMs > 0) {
        show(paint.good('✓'), name, `${info.comment}  ${paint.dim(`${lasted}, skipped`)}${tries}`);
        skippedMs = 0;
      } else {
        show(paint.good('✓'), name, `${info.comment}  ${paint.dim(lasted)}${tries}`);
      }
    },
    asking: () => [...open.keys()].find((name) => infoOf(name).asksSomebody),
    skipped(ms) {
      skippedMs += ms;
    },
    async refresh(read) {
      const [name, visits] = [...open].findLast(([key]) => infoOf(key).type === 'Task') ?? [];
      const visit = visits?.[0];
      if (name === undefined || visit === undefined) return screen.live(undefined);
      const lasted = Date.now() - visit.realAt;
      if (lasted < PROGRESS_EVERY_MS) return;
      const progress = await read();
      const bar = renderBar();
      if (bar !== undefined) {
        const current = progress?.phase === name ? progress.percent / 100 : 0;
        bar.share = Math.max(bar.share, Math.min(1, (bar.left + current) / Math.max(1, bar.entered)));
        bar.step.progress(bar.share, progress?.message);
        return;
      }
      const percent = progress?.phase === name && progress.percent > 0 ? `${progress.percent} %` : '';
      screen.live(`${name}  ${infoOf(name).comment}  ${percent} ${duration(lasted)}`);
      if (lasted > SLOW_STATE_MS && !visit.slowTold) {
        visit.slowTold = true;
        screen.note(`  … ${name}: ${infoOf(name).comment}`);
      }
    },
    close() {
      for (const { step } of maps.values()) step.fail('interrupted');
      maps.clear();
      screen.live(undefined);
    },
  };
}
