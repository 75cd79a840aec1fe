// What is wrong with this input, in words its sender understands?
import type * as z from 'zod';
import { InvalidInput } from './errors.ts';

export interface Problem {
  /** Dot separated, `brief.offer`, `scenes.3.endMs`; empty for the whole. */
  path: string;
  message: string;
}

/** One sentence per issue; unions are reported once. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: path === '' ? key : `${path}.${key}`,
        message: 'is not a known field',
      }));
    }
    if (issue.code === 'invalid_type' && issue.input === undefined) return [{ path, message: 'is missing' }];
    return [{ path, message: issue.message.replace(/^Invalid input: /, '') }];
  });
}

/** Parsed value. @throws InvalidInput with every problem; `what` names the thing (`The input of CheckVelocity`). */
export function parseAs<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error);
  const first = problems[0];
  const sentences = problems.slice(0, 10).map((p) => (p.path === '' ? p.message : `${p.path}: ${p.message}`));
  const more = problems.length > 10 ? `; and ${problems.length - 10} more` : '';
  throw new InvalidInput(`${what} is not valid: ${sentences.join('; ')}${more}.`, {
    ...(first === undefined ? {} : { path: first.path }),
    problems,
  });
}
