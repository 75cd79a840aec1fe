// Does what the model wrote fit the schema, and what is it told when it does not?
import type * as z from 'zod';
import { Refused } from '../../runtime/errors.ts';
import { problemsOf } from '../../runtime/parse.ts';
import type { Completion } from './model.ts';

export interface Turn {
  role: 'user' | 'assistant';
  text: string;
}

/** Longer answers are not read: nothing that we ask for comes near it. */
export const MOST_ANSWER_CHARACTERS = 200_000;
const MOST_QUOTED_CHARACTERS = 20_000;
const MOST_PROBLEMS = 10;

/**
 * Asks, and once more with what was wrong. `ask` returns text or an already parsed value (tool input).
 * @throws Refused when the second answer does not fit either.
 */
export async function answerWithin<T extends z.ZodType>(
  { task, user, schema }: Completion<T>,
  ask: (turns: readonly Turn[]) => Promise<unknown>,
): Promise<z.output<T>> {
  const first: Turn = { role: 'user', text: user };
  const answer = await ask([first]);
  const judged = judge(schema, answer);
  if (judged.fits) return judged.value;
  const repair: Turn = {
    role: 'user',
    text: `That answer cannot be used: ${judged.problems}. Answer again with one JSON value that fits the schema, and nothing else.`,
  };
  const quoted: Turn = {
    role: 'assistant',
    text: asText(answer).slice(0, MOST_QUOTED_CHARACTERS) || '(empty)',
  };
  const second = judge(schema, await ask([first, quoted, repair]));
  if (second.fits) return second.value;
  throw new Refused(`The model answered outside the schema (${task}): ${second.problems}.`, {
    vendorCode: 'schema',
  });
}

type Judged<V> = { fits: true; value: V } | { fits: false; problems: string };

function judge<T extends z.ZodType>(schema: T, answer: unknown): Judged<z.output<T>> {
  const value = typeof answer === 'string' ? extractJson(answer) : answer;
  if (value === undefined) return { fits: false, problems: 'it is not JSON' };
  if (asText(value).length > MOST_ANSWER_CHARACTERS) return { fits: false, problems: 'it is too long' };
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return { fits: true, value: parsed.data };
  const sentences = problemsOf(parsed.error)
    .slice(0, MOST_PROBLEMS)
    .map(({ path, message }) => `${path}: ${message}`);
  return { fits: false, problems: sentences.join('; ').slice(0, 1000) };
}

/** The JSON value in a text that may have a fence or words around it; undefined when there is none. */
export function extractJson(text: string): unknown {
  if (text.length > MOST_ANSWER_CHARACTERS) return undefined;
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  const candidates = [text, start === -1 || end < start ? '' : text.slice(start, end + 1)];
  for (const candidate of candidates) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      continue;
    }
  }
  return undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
