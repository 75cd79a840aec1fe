// What is advertised when nobody wrote a brief?
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type * as z from 'zod';
import { Brief } from '../../lambdas/creative/types.ts';

/** For the sample video, which shows this coffee maker. Its proof point is part of the fiction. */
export const SAMPLE_BRIEF: z.input<typeof Brief> = {
  product: 'Brewly',
  offer: 'free shipping this week',
  audience: 'commuters who love coffee',
  pains: ['the queue at the coffee bar', 'cold coffee on the train'],
  desires: ['fresh coffee anywhere', 'a calm start to the day'],
  proofPoints: ['Rated 4.8 by 1,200 customers'],
  landingUrl: 'https://example.com/brewly',
  callToAction: 'buy_now',
  durationSeconds: 10,
};

/** `my.mp4` + `.vtt` → `my.vtt`. */
export function beside(videoPath: string, ending: string): string {
  return `${videoPath.slice(0, videoPath.length - extname(videoPath).length)}${ending}`;
}

export interface FoundBrief {
  brief: z.input<typeof Brief>;
  /** Its file; undefined when it is the neutral one. */
  path: string | undefined;
}

/**
 * The brief for a user's video: the file given, else `<video>.brief.json` beside it, else a neutral one that claims nothing.
 * @throws Error naming the file and the field that is wrong.
 */
export function briefFor(videoPath: string, given: string | undefined): FoundBrief {
  const candidate = given ?? beside(videoPath, '.brief.json');
  if (!existsSync(candidate)) {
    if (given !== undefined) throw new Error(`There is no brief at ${given}.`);
    return { brief: neutralBrief(videoPath), path: undefined };
  }
  const parsed = Brief.safeParse(readJsonFile(candidate));
  if (!parsed.success) throw new Error(`${candidate}: ${firstIssue(parsed.error)}`);
  return { brief: parsed.data, path: candidate };
}

function neutralBrief(videoPath: string): z.input<typeof Brief> {
  const name = basename(videoPath, extname(videoPath)).replaceAll(/[_-]+/g, ' ').trim().slice(0, 80);
  return {
    product: name === '' ? 'this product' : name,
    offer: 'see what it does',
    audience: 'people who may need it',
    pains: ['not knowing where to start'],
    desires: ['a simple way to begin'],
    landingUrl: 'https://example.com/',
    callToAction: 'learn_more',
    durationSeconds: 10,
  };
}

/** @throws Error naming the file, in a sentence. */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read (${code}).`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** `run.id is missing`, or the path and what is wrong with it. */
export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  const missing = issue?.code === 'invalid_type' && /received undefined/.test(issue.message);
  return missing
    ? `${path} is missing`
    : `${path === '' ? 'the input' : path}: ${issue?.message ?? 'is not valid'}`;
}
