// When are two variations the same ad?
import { hashOf } from '../runtime/canonical.ts';
import type { Variation } from './types.ts';

/** `v-` and twelve hex digits over the source and all but the working title: the same idea is never made twice. */
export function variationId(parts: Omit<Variation, 'id'>, sourceSha256: string): string {
  const { title: _, ...idea } = parts;
  return `v-${hashOf({ parts: idea, sourceSha256 }).slice(0, 12)}`;
}

/** The variation with its id made from what it holds now. */
export function withId(parts: Omit<Variation, 'id'> & { id?: string }, sourceSha256: string): Variation {
  const { id: _, ...rest } = parts;
  return { ...rest, id: variationId(rest, sourceSha256) };
}
