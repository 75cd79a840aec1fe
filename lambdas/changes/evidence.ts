// May this be kept as a change's evidence?

/** A change is one item beside its story; whoever has more evidence stores it and names it here. */
export const MOST_EVIDENCE_BYTES = 16_384;
/** DynamoDB takes 32 levels, some of which the change itself needs. */
const MOST_LEVELS = 20;
/** Smallest magnitude that DynamoDB's numbers have, besides 0. */
const LEAST_MAGNITUDE = 1e-130;

/** One sentence without its subject; undefined when it may. Pure. */
export function evidenceProblem(evidence: unknown): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(evidence));
  if (bytes > MOST_EVIDENCE_BYTES)
    return `has ${bytes} bytes; a change carries at most ${MOST_EVIDENCE_BYTES}`;
  return problemWithin(evidence, 1);
}

function problemWithin(value: unknown, level: number): string | undefined {
  if (typeof value === 'number') {
    const isFine =
      Math.abs(value) <= Number.MAX_SAFE_INTEGER && (value === 0 || Math.abs(value) >= LEAST_MAGNITUDE);
    return isFine ? undefined : `holds the number ${value}, which cannot be kept exactly: write it as text`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (level > MOST_LEVELS) return `is nested more than ${MOST_LEVELS} levels deep`;
  if (Object.keys(value).includes('')) return 'has a field without a name';
  return Object.values(value)
    .map((member) => problemWithin(member, level + 1))
    .find((problem) => problem !== undefined);
}
