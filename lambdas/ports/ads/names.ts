// What is an object in the ad account called, so that a repeat finds it?
import { createHash } from 'node:crypto';
import { InvalidInput } from '../../runtime/errors.ts';

export interface ObjectKey {
  runId: string;
  /** Shared by a step and its undo: `campaign`, `ad`. */
  effect: string;
  /** A domain id, stable over retries and restarts: a variation id. */
  subject: string;
}

const PART = /^[A-Za-z0-9._-]{1,100}$/;

/** Vendors allow 255 and more; what people read comes first in a column this wide. */
const LONGEST_NAME = 200;

/**
 * `<what people read> [run-…/ad/v-…]`: the key in brackets makes it unique; the same key and label always give the same name.
 * @throws InvalidInput when a part of the key is empty or has characters that could be confused with the separators.
 */
export function adObjectName(key: ObjectKey, label: string): string {
  for (const [part, value] of Object.entries(key)) {
    if (!PART.test(value))
      throw new InvalidInput(`"${value}" cannot be part of an object's name.`, { path: part });
  }
  const suffix = ` ${ownedMark(key.runId)}${key.effect}/${key.subject}]`;
  const readable = label.replaceAll(/[[\]\p{Cc}\s]+/gu, ' ').trim();
  const room = LONGEST_NAME - suffix.length;
  const short = readable.length <= room ? readable : `${readable.slice(0, room - 1)}…`;
  return `${short}${suffix}`.trimStart();
}

/** Part of the name of everything a run created, and of nothing else. */
export function ownedMark(runId: string): string {
  return `[${runId}/`;
}

/** A short stable subject for things that have no id of their own. */
export function subjectOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
