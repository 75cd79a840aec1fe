// How is a failure told over HTTP?
import * as z from 'zod';
import { isTaskError, type TaskErrorName } from './errors.ts';

/** RFC 9457, with every field that is wrong. */
export const ProblemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  /** Path of the (first) field that is wrong, dot separated. */
  path: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  correlationId: z.string().optional(),
});
export type ProblemDocument = z.infer<typeof ProblemDocument>;

/** Thrown by a route for an answer that is not one of the five names. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Another tenant's id is not found either: nobody learns that it exists. */
export function notFound(what: string): HttpProblem {
  return new HttpProblem(404, `There is no ${what}.`);
}

const STATUS: Readonly<Record<string, number>> = {
  InvalidInput: 400,
  Conflict: 409,
  Refused: 422,
  RateLimited: 429,
  Unavailable: 503,
};
const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'Who are you?',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Changed meanwhile',
  422: 'Refused',
  429: 'Too fast',
  500: 'Our mistake',
  503: 'Not available now',
};

/** What is unnamed is our bug: 500 without its message, which the log has. */
export function problemOf(error: unknown, correlationId: string): ProblemDocument {
  const task = isTaskError(error) ? error : undefined;
  const status = error instanceof HttpProblem ? error.status : task === undefined ? 500 : statusOf(task);
  const known = status !== 500 && error instanceof Error;
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Failed',
    status,
    ...(known ? { detail: error.message } : {}),
    ...(task?.path === undefined ? {} : { path: task.path }),
    ...(task?.problems === undefined ? {} : { errors: [...task.problems] }),
    correlationId,
  };
}

/** Too fast is the caller where the limit is ours; where a table or a vendor throttles us, it is no fault of theirs. */
function statusOf({ name, vendorCode }: { name: TaskErrorName; vendorCode?: string }): number {
  return name === 'RateLimited' && vendorCode !== undefined ? 503 : (STATUS[name] ?? 500);
}
