// Did taking back restore what was there, unless somebody else had changed it since?
import { fieldOf, type Facts } from './facts.ts';

export interface Undone {
  atMs: number;
  steps: readonly {
    id: string;
    entity: { kind: string; id: string };
    kind: string;
    undoes: readonly string[];
  }[];
}

export function undoFaults(facts: Facts, all: readonly Undone[]): string[] {
  const causeOf = (requestNo: number | null): string | undefined =>
    requestNo === null ? undefined : facts.causes?.get(requestNo);
  return all.flatMap(({ atMs, steps }) => {
    const courses = Map.groupBy(steps, ({ entity, kind }) => `${entity.id} ${fieldOf(kind)}`);
    return [...courses].flatMap(([name, course]) => {
      const [object = '', field = ''] = name.split(' ');
      const ids = course.map(({ id }) => id);
      const done = ids.every((id) => facts.changes.find((one) => one.id === id)?.status === 'COMPLETED');
      const about = facts.effects.filter((one) => one.objectId === object && one.field === field);
      const since = about.filter((one) => one.atMs >= atMs);
      if (!done || since.some(({ requestNo }) => !ids.includes(causeOf(requestNo) ?? ''))) return [];
      const undoes = course.flatMap((step) => step.undoes);
      const first = about.find(({ requestNo }) => undoes.includes(causeOf(requestNo) ?? ''));
      const has = about.at(-1)?.after;
      if (first === undefined || String(first.before) === String(has)) return [];
      return [`${name} was taken back to ${has}; it had been ${first.before}`];
    });
  });
}
