// What can happen around the executor, one thing after another?
import type { ChangeKind, ChangeRequest } from '../../../lambdas/changes/change.ts';
import type { Random } from './random.ts';

export type Command =
  | {
      do: 'queue';
      thing: number;
      kind: ChangeKind;
      factor: number;
      wrongFrom: boolean;
      request: Partial<ChangeRequest>;
    }
  | { do: 'queue-again'; which: number }
  | { do: 'follow'; which: number; thing: number }
  | { do: 'wait'; ms: number }
  | { do: 'edit'; thing: number; factor: number; status?: 'ACTIVE' | 'PAUSED' | 'ARCHIVED' }
  | {
      do: 'weather';
      kind:
        | 'slow'
        | 'lost-replies'
        | 'disconnects'
        | 'silence'
        | 'table-refusals'
        | 'lost-writes'
        | 'kills'
        | 'twice'
        | 'calm';
    }
  | { do: 'tables-down'; forMs: number }
  | { do: 'throttle'; forMs: number }
  | { do: 'token'; isExpired: boolean }
  | { do: 'switch'; scope: 'tenant' | 'account' | 'campaign' | 'rule'; on: boolean }
  | {
      do: 'decide';
      which: number;
      decision: 'approve' | 'reject' | 'cancel' | 'hold' | 'release' | 'retract';
    }
  | { do: 'stop'; which: number }
  | { do: 'review'; thing: number; inReview: boolean }
  | { do: 'undo'; which: number; all: boolean };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BUDGETS: readonly ChangeKind[] = ['BUDGET_INCREASE', 'BUDGET_DECREASE', 'BUDGET_SET', 'BUDGET_SET'];
const OTHERS: readonly ChangeKind[] = ['PAUSE', 'RESUME', 'ACTIVATE', 'BID_ADJUST', 'ARCHIVE'];
const WEATHERS = [
  'slow',
  'lost-replies',
  'disconnects',
  'silence',
  'table-refusals',
  'lost-writes',
  'kills',
  'twice',
  'calm',
] as const;

function asked(random: Random): Extract<Command, { do: 'queue' }> {
  const kind = random.chance(0.7) ? random.pick(BUDGETS) : random.pick(OTHERS);
  const mode = random.chance(0.1) ? random.pick(['validate', 'shadow'] as const) : 'live';
  return {
    do: 'queue',
    thing: random.int(0, 9),
    kind,
    factor: random.chance(0.7) ? random.int(88, 120) / 100 : random.int(30, 260) / 100,
    wrongFrom: random.chance(0.05),
    request: {
      mode,
      expectedValueMinor: random.int(0, 5) * 100,
      ...(random.chance(0.05) ? { currency: 'EUR' } : {}),
      origin: {
        area: random.chance(0.15) ? 'person' : 'budget',
        id: `decision-${random.int(0, 40)}`,
        actor: 'somebody',
        ...(random.chance(0.3) ? { rule: 'rule-1' } : {}),
      },
    },
  };
}

function wait(random: Random): Command {
  const lot = random.next();
  if (lot < 0.45) return { do: 'wait', ms: random.int(0, 4_000) };
  if (lot < 0.75) return { do: 'wait', ms: random.int(4_000, 5 * MINUTE_MS) };
  return { do: 'wait', ms: random.int(5 * MINUTE_MS, lot < 0.93 ? HOUR_MS : 8 * HOUR_MS) };
}

/** A person moves a sum as far as it may go, and we go on in the same direction with the others. */
function pushed(random: Random): Command[] {
  const up = random.chance(0.5);
  const thing = random.int(0, 9);
  const ours = [1, 2].map((more): Command => {
    const kind = up ? 'BUDGET_INCREASE' : 'BUDGET_DECREASE';
    return {
      ...asked(random),
      do: 'queue',
      thing: thing + more,
      kind,
      factor: up ? 1.19 : 0.82,
      wrongFrom: false,
    };
  });
  return [{ do: 'edit', thing, factor: up ? 1.5 : 0.6 }, { do: 'wait', ms: random.int(0, HOUR_MS) }, ...ours];
}

/** Every command of one sequence; the same random numbers give the same commands. */
export function commandsOf(random: Random, count: number): Command[] {
  const commands: Command[] = [];
  const add = (...more: Command[]): void => void commands.push(...more);
  while (commands.length < count) {
    const lot = random.next();
    if (lot < 0.3) add(asked(random));
    else if (lot < 0.34) add(...Array.from({ length: random.int(4, 18) }, () => asked(random)));
    else if (lot < 0.37) add({ do: 'queue-again', which: random.int(0, 30) });
    else if (lot < 0.4) add({ do: 'follow', which: random.int(0, 30), thing: random.int(0, 9) });
    else if (lot < 0.6) add(wait(random));
    else if (lot < 0.68) {
      const status = random.chance(0.35)
        ? random.pick(['ACTIVE', 'PAUSED', 'PAUSED', 'ARCHIVED'] as const)
        : undefined;
      const edit = { thing: random.int(0, 9), factor: random.int(50, 160) / 100 };
      add({ do: 'edit', ...edit, ...(status === undefined ? {} : { status }) });
    } else if (lot < 0.8) add({ do: 'weather', kind: random.pick(WEATHERS) });
    else if (lot < 0.82) add({ do: 'tables-down', forMs: random.int(1_000, 10 * MINUTE_MS) });
    else if (lot < 0.835) add(...pushed(random));
    else if (lot < 0.855) add({ do: 'throttle', forMs: random.int(MINUTE_MS, HOUR_MS) });
    else if (lot < 0.87) add({ do: 'token', isExpired: random.chance(0.5) });
    else if (lot < 0.91) {
      const scope = random.pick(['tenant', 'account', 'campaign', 'rule'] as const);
      add({ do: 'switch', scope, on: true }, wait(random));
      if (random.chance(0.8)) add(asked(random), { do: 'switch', scope, on: false });
    } else if (lot < 0.945) {
      const decision = random.pick(['approve', 'reject', 'cancel', 'hold', 'release', 'retract'] as const);
      add({ do: 'decide', which: random.int(0, 30), decision });
    } else if (lot < 0.955) add({ do: 'stop', which: random.int(0, 5) });
    else if (lot < 0.965) add({ do: 'review', thing: random.int(0, 9), inReview: random.chance(0.5) });
    else add({ do: 'undo', which: random.int(0, 30), all: random.chance(0.5) });
  }
  return commands;
}

/** What this tenant chose; the promises are judged by it. */
export function settingsOf(random: Random): {
  jitterSeconds: { min: number; max: number };
  fuzzPercent: number;
  perHour: number;
  mode: 'live' | 'validate' | 'shadow';
  personCooldownMinutes: number;
} {
  return {
    jitterSeconds: random.chance(0.5) ? { min: 0, max: 0 } : { min: 3, max: 18 },
    fuzzPercent: random.chance(0.25) ? 3 : 0,
    perHour: random.chance(0.4) ? random.int(2, 6) : 15,
    mode: random.chance(0.04) ? random.pick(['validate', 'shadow'] as const) : 'live',
    personCooldownMinutes: random.pick([0, 0, 5, 60]),
  };
}
