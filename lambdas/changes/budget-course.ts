// Which budget did an entity have, and did it count, at which moment?
export interface HeldBudget {
  /** `adset/1`, `campaign/2`. */
  entity: string;
  campaignId: string;
  amountMinor: number;
  /** Itself and its campaign are switched on. */
  active: boolean;
}

/** From the platform's log, by whomever. `beforeMinor` 0: it held no budget until then, as when it was created. */
export interface BudgetEdit {
  entity: string;
  at: number;
  beforeMinor: number;
  afterMinor: number;
}

/** Of budget holders or their campaigns, from the platform's log. */
export interface StatusEdit {
  entity: string;
  at: number;
  activeBefore: boolean;
  activeAfter: boolean;
}

/** From our own ledger; `at` is when room was reserved, the effect follows by at most the margin. */
export interface OwnEdit {
  entity: string;
  campaignId: string;
  at: number;
  beforeMinor: number;
  afterMinor: number;
  /** `open`: it may have been applied, may yet be, or never. */
  outcome: 'open' | 'applied' | 'not-applied';
}

/** Epoch milliseconds and minor units. Oldest first within one second; nothing archived or deleted is among `held`. */
export interface BudgetHistory {
  readAt: number;
  held: readonly HeldBudget[];
  edits: readonly BudgetEdit[];
  statusEdits: readonly StatusEdit[];
  own: readonly OwnEdit[];
}

/** An edit of ours and a line of the log with the same outcome are the same edit when they are no further apart. */
export const SAME_EDIT_MS = 300_000;

/** The value turned at an unknown moment in [from, until]. */
interface Turn<T> {
  from: number;
  until: number;
  before: T;
  after: T;
}

export interface Course {
  entity: string;
  campaignId: string;
  /** Every value it may have now, open edits left out. */
  presentMinor: readonly number[];
  open: readonly OwnEdit[];
  /** Moments at which anything about it may have turned, unsorted; none: it has always been as it is. */
  turnedAt: readonly number[];
  /** Values that it may have had at this moment, open edits left out; none while it held no budget. */
  amountsAt(moment: number): number[];
  /** Whether it was switched on at this moment. `maybe` within the margin of a switch, and where nobody says what its campaign was. */
  activeAt(moment: number): 'yes' | 'no' | 'maybe';
}

/**
 * Walks back from what is held now. What the log does not know has always been as it is; where the log is silent about how one
 * value became another, both may have been in force in between. `marginMs`: how long after its time an edit may have taken effect.
 */
export function coursesOf(history: BudgetHistory, marginMs: number): Course[] {
  const { readAt, held } = history;
  const { certain, open } = sifted(history);
  const edits = Map.groupBy(certain, ({ entity }) => entity);
  const unsettled = Map.groupBy(open, ({ entity }) => entity);
  const switches = Map.groupBy(history.statusEdits, ({ entity }) => entity);
  const running = new Set(held.filter(({ active }) => active).map(({ campaignId }) => campaignId));
  const switched = (entity: string): Turn<boolean>[] =>
    turnsOf(switches.get(entity) ?? [], marginMs, (edit) => [edit.activeBefore, edit.activeAfter]);

  return held.map(({ entity, campaignId, amountMinor, active }) => {
    const logged = turnsOf(edits.get(entity) ?? [], marginMs, (edit) => [edit.beforeMinor, edit.afterMinor]);
    const { turns, presentMinor } = closed(logged, amountMinor, readAt);
    const parent = `campaign/${campaignId}`;
    const own = switched(entity);
    const above = entity === parent ? [] : switched(parent);
    const now = switchedNow(active, own, above, entity === parent || running.has(campaignId));
    const openHere = unsettled.get(entity) ?? [];
    return {
      entity,
      campaignId,
      presentMinor,
      open: openHere,
      turnedAt: [
        ...[...turns, ...own, ...above].flatMap(({ from, until }) => [from, until]),
        ...openHere.map(({ at }) => at),
      ],
      amountsAt: (moment) => [...new Set(inForce(turns, presentMinor, moment))].filter((minor) => minor > 0),
      activeAt(moment) {
        const sides = [inForce(own, now.own, moment), inForce(above, now.above, moment)];
        if (sides.some((side) => !side.includes(true))) return 'no';
        return sides.some((side) => side.includes(false)) ? 'maybe' : 'yes';
      },
    };
  });
}

/**
 * What happened for certain: the log, and our edits that it does not show yet but that were applied, or can be seen in what is
 * held; and our edits of which nobody knows.
 */
function sifted({ edits, own, held, readAt }: BudgetHistory): { certain: BudgetEdit[]; open: OwnEdit[] } {
  const shown = matched(edits, own);
  const amounts = new Map(held.map(({ entity, amountMinor }) => [entity, amountMinor]));
  const seen = (edit: OwnEdit) => edit.at <= readAt && amounts.get(edit.entity) === edit.afterMinor;
  const rest = own.filter((edit) => edit.outcome !== 'not-applied' && !shown.has(edit));
  const happened = (edit: OwnEdit) => edit.outcome === 'applied' || seen(edit);
  return { certain: [...edits, ...rest.filter(happened)], open: rest.filter((edit) => !happened(edit)) };
}

/** Our edits that stand in the log; a line stands for one edit only, the nearest. */
function matched(edits: readonly BudgetEdit[], own: readonly OwnEdit[]): Set<OwnEdit> {
  const lines = Map.groupBy(edits, ({ entity, afterMinor }) => `${entity} ${afterMinor}`);
  const used = new Set<BudgetEdit>();
  const shown = new Set<OwnEdit>();
  for (const edit of own.filter(({ outcome }) => outcome !== 'not-applied')) {
    const away = (line: BudgetEdit) => Math.abs(line.at - edit.at);
    const line = (lines.get(`${edit.entity} ${edit.afterMinor}`) ?? [])
      .filter((candidate) => !used.has(candidate) && away(candidate) <= SAME_EDIT_MS)
      .toSorted((a, b) => away(a) - away(b))[0];
    if (line === undefined) continue;
    used.add(line);
    shown.add(edit);
  }
  return shown;
}

function turnsOf<E extends { at: number }, T>(
  edits: readonly E[],
  marginMs: number,
  values: (edit: E) => [T, T],
): Turn<T>[] {
  return edits
    .toSorted((a, b) => a.at - b.at)
    .map((edit) => {
      const [before, after] = values(edit);
      return { from: edit.at, until: edit.at + marginMs, before, after };
    });
}

/** The turns without gaps, up to what is held. */
function closed(
  logged: readonly Turn<number>[],
  heldMinor: number,
  readAt: number,
): { turns: Turn<number>[]; presentMinor: number[] } {
  const turns = logged.flatMap((turn, i) => {
    const next = logged[i + 1];
    if (next === undefined || next.before === turn.after) return [turn];
    return [turn, { from: turn.from, until: next.until, before: turn.after, after: next.before }];
  });
  const last = turns.at(-1);
  if (last === undefined || last.after === heldMinor) return { turns, presentMinor: [heldMinor] };
  // Edited after it was read.
  if (last.from >= readAt) return { turns, presentMinor: [last.after] };
  // Perhaps read before the edit, perhaps edited once more.
  if (last.until > readAt) return { turns, presentMinor: [last.after, heldMinor] };
  return {
    turns: [...turns, { from: last.from, until: readAt, before: last.after, after: heldMinor }],
    presentMinor: [heldMinor],
  };
}

/** What holds now for the entity itself and for its campaign: both are on, or at least one is off. */
function switchedNow(
  active: boolean,
  own: readonly Turn<boolean>[],
  above: readonly Turn<boolean>[],
  campaignRuns: boolean,
): { own: boolean[]; above: boolean[] } {
  const ownNow = latest(own, active);
  const aboveNow = latest(above, campaignRuns);
  if (ownNow.length === 0)
    return { own: aboveNow.includes(false) ? [true, false] : [false], above: [...aboveNow, false] };
  if (aboveNow.length === 0) return { own: ownNow, above: ownNow.includes(true) ? [false] : [true, false] };
  return { own: ownNow, above: aboveNow };
}

/** Empty when nobody says. */
function latest(turns: readonly Turn<boolean>[], isOn: boolean): boolean[] {
  const last = turns.at(-1);
  if (last === undefined) return isOn ? [true] : [];
  return isOn && !last.after ? [true, false] : [last.after];
}

function inForce<T>(turns: readonly Turn<T>[], now: readonly T[], moment: number): readonly T[] {
  const first = turns.findIndex(({ until }) => until > moment);
  const ahead = first < 0 ? [] : turns.slice(first);
  if (ahead[0] === undefined) return now;
  return [ahead[0].before, ...ahead.filter(({ from }) => from <= moment).map(({ after }) => after)];
}
