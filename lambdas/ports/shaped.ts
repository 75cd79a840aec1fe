// Did the vendor answer in the shape it documents?
import type * as z from 'zod';
import { Unavailable } from '../runtime/errors.ts';

/** The checked answer. @throws Unavailable: an answer in an unknown shape leaves open what happened. */
export function shaped<T extends z.ZodType>(schema: T, json: unknown, what: string): z.output<T> {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const fields = read.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Unavailable(`${what} was answered in an unknown shape (${fields}).`, { cause: read.error });
}
