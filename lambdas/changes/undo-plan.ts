// Which changes take back what was applied, and what can no longer be taken back?
import type { LiveObject } from '../ports/ads/live-ads.ts';
import { staircase } from './budget-staircase.ts';
import {
  KINDS,
  changeId,
  entityName,
  slotOf,
  type Change,
  type ChangeKind,
  type ChangeRequest,
  type Entity,
  type Slot,
} from './change.ts';
import { valueOf } from './precondition.ts';
import type { Value } from './verdict.ts';
import type { VelocityRule } from './velocity.ts';

export interface Undoing {
  tenant: string;
  /** Applied changes, those that take back others included. Any order. */
  changes: readonly Change[];
  /** What is live, by `objectKey`; null or absent for what is gone. */
  live: ReadonlyMap<string, LiveObject | null>;
  velocity: VelocityRule;
  /** `area` undo. */
  origin: ChangeRequest['origin'];
  comment: string;
  nowMs: number;
}

export interface UndoPlan {
  /** In the order in which they are due; each belongs to one queueing transaction. */
  steps: ChangeRequest[];
  /** Somebody else changed these since: they are left alone. */
  moved: {
    accountId: string;
    entity: Entity;
    slot: Slot;
    has: Value | null;
    weLeft: Value;
    changes: string[];
  }[];
  impossible: { change: string; reason: string }[];
  /** These have what they had before already. */
  needless: { accountId: string; entity: Entity; slot: Slot; has: Value; changes: string[] }[];
  /** Changes that are taken back once all steps are applied. */
  undoes: string[];
}

/** Only what was applied can be taken back. */
export type Applied = Change & { result: NonNullable<Change['result']> };
export function wasApplied(change: Change): change is Applied {
  return change.status === 'COMPLETED' && change.result !== undefined && change.mode === 'live';
}

/** Long enough for a full queue behind the account's limits. */
const EXPIRES_AFTER_MS = 3 * 86_400_000;
/** Longest list of changes that one waits for. */
const MOST_BEHIND = 50;

export const objectKey = ({ accountId, entity }: Pick<Change, 'accountId' | 'entity'>): string =>
  `${accountId}#${entityName(entity)}`;

/** What one object's slot went through, oldest first, and where it goes back to. */
interface Course {
  changes: Applied[];
  slot: Slot;
  target: Value;
  has: Value;
}

/**
 * Per object and slot, back to what the earliest of the changes found, as long as each found what the one before it left; what
 * somebody else set in between or since stays. Budgets return in steps that each keep within the velocity rule's percent, one window and
 * margin apart. Later changes are taken back first, within one origin. Pure: the same input gives the same plan, and steps with
 * the same ids.
 */
export function planUndo(undoing: Undoing): UndoPlan {
  const plan: UndoPlan = { steps: [], moved: [], impossible: [], needless: [], undoes: [] };
  const applied = undoing.changes.filter(wasApplied).toSorted(byTime);
  const given = new Set(applied.map(({ id }) => id));
  const standing = applied.filter((change) => {
    const { id, undoneBy } = change;
    // With its undo among the changes, both are part of one course.
    if (undoneBy === undefined || given.has(undoneBy)) return true;
    plan.impossible.push({ change: id, reason: `It was taken back already, by ${undoneBy}.` });
    return false;
  });
  const bySlot = new Map<string, Applied[]>();
  for (const change of standing) {
    const key = `${objectKey(change)}#${slotOf(change.kind)}`;
    bySlot.set(key, [...(bySlot.get(key) ?? []), change]);
  }
  const courses = [...bySlot.values()].flatMap((changes) => courseOf(changes, undoing, plan) ?? []);
  // The latest first.
  courses.sort((a, b) => byTime(lastOf(b.changes), lastOf(a.changes)));
  const first: { id: string; origins: Set<string> }[] = [];
  for (const course of courses) {
    const origins = new Set(course.changes.map(({ origin }) => `${origin.area}/${origin.id}`));
    const later = first.filter((other) => [...other.origins].some((origin) => origins.has(origin)));
    const steps = stepsOf(course, later.map(({ id }) => id).toReversed(), undoing);
    if (steps === undefined) {
      const reason = `Within ${undoing.velocity.percent} % no step leads from ${course.has} to ${course.target}.`;
      plan.impossible.push(...course.changes.map(({ id }) => ({ change: id, reason })));
      continue;
    }
    plan.steps.push(...steps);
    plan.undoes.push(...course.changes.map(({ id }) => id));
    first.push({ id: changeId(undoing.tenant, steps[0] as ChangeRequest), origins });
  }
  const due = ({ notBefore }: ChangeRequest): number => notBefore ?? 0;
  plan.steps.sort((a, b) => due(a) - due(b));
  return plan;
}

function courseOf(all: readonly Applied[], { live }: Undoing, plan: UndoPlan): Course | undefined {
  const last = lastOf(all);
  const { accountId, entity } = last;
  const slot = slotOf(last.kind);
  const object = live.get(objectKey(last)) ?? null;
  const has = object === null ? null : (valueOf(object, slot) ?? null);
  const about = { accountId, entity, slot };
  const ids = (changes: readonly Applied[]): string[] => changes.map(({ id }) => id);
  if (object?.status === 'ARCHIVED') {
    const reason = `The ${entityName(entity)} is archived: nothing about it can change.`;
    plan.impossible.push(...ids(all).map((change) => ({ change, reason })));
    return undefined;
  }
  if (has !== last.result.applied) {
    const found = all[0]?.result.before;
    if (has !== null && has === found) plan.needless.push({ ...about, has, changes: ids(all) });
    else plan.moved.push({ ...about, has, weLeft: last.result.applied, changes: ids(all) });
    return undefined;
  }
  // Back as far as each found what the one before it had left.
  let start = all.length - 1;
  while (start > 0 && all[start - 1]?.result.applied === all[start]?.result.before) start -= 1;
  const before = all.slice(0, start);
  if (before.length > 0)
    plan.moved.push({ ...about, has, weLeft: lastOf(before).result.applied, changes: ids(before) });
  const changes = all.slice(start);
  const target = (changes[0] as Applied).result.before;
  if (target === has) {
    plan.needless.push({ ...about, has, changes: ids(changes) });
    return undefined;
  }
  return { changes, slot, target, has };
}

/** Undefined when not a single step would keep within the percent. */
function stepsOf(
  { changes, slot, target, has }: Course,
  later: readonly string[],
  { tenant, velocity, origin, comment, nowMs }: Undoing,
): ChangeRequest[] | undefined {
  const { accountId, entity, currency } = lastOf(changes);
  const values = slot === 'budget' ? staircase(has as number, target as number, velocity.percent) : [target];
  if (values === undefined) return undefined;
  const undoes = changes.map(({ id }) => id);
  const own: string[] = [];
  return values.map((to, index) => {
    const notBefore = nowMs + index * (velocity.windowMs + velocity.marginMs);
    const request: ChangeRequest = {
      accountId,
      entity,
      kind: kindOf(changes, to),
      from: index === 0 ? has : (values[index - 1] as Value),
      to,
      currency,
      reason: `${comment} (step ${index + 1} of ${values.length} back)`.slice(0, 500),
      evidence: { takesBack: undoes.slice(0, 100), step: index + 1, steps: values.length },
      origin,
      expiresAt: notBefore + EXPIRES_AFTER_MS,
      notBefore,
      // All earlier steps: one that it does not wait for would be displaced by it.
      behind: [...own.toReversed(), ...(index === 0 ? later : [])].slice(0, MOST_BEHIND),
      // Not before the last step is applied are they taken back.
      undoes: index === values.length - 1 ? undoes : [],
    };
    own.push(changeId(tenant, request));
    return request;
  });
}

/** Of the kinds that take these changes back, the one that leads there. */
function kindOf(changes: readonly Applied[], to: Value): ChangeKind {
  const inverses = changes.flatMap(({ kind }) => KINDS[kind].inverse ?? []);
  const fitting = inverses.find((kind) => KINDS[kind].to === undefined || KINDS[kind].to === to);
  if (fitting === undefined) throw new Error(`Nothing takes ${changes[0]?.id} back to ${to}.`);
  return fitting;
}

function byTime(a: Applied, b: Applied): number {
  return a.result.executedAt - b.result.executedAt || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

function lastOf(changes: readonly Applied[]): Applied {
  const last = changes.at(-1);
  if (last === undefined) throw new Error('There is no change to take back.');
  return last;
}
