// Which words may an ad use, given what the advertiser said?
import { isHonest } from './honest-claims.ts';
import type { Brief, Variation } from './types.ts';

export type Hook = Variation['hook'];

/** Text overlays on small screens: platforms cut or cover longer hooks (requirements, compliance). */
export const HOOK_MAX = 38;
const DATED = /\b(until|till|ends|by|before|this (week|month)|today|tomorrow|\d{1,2}[./-]\d{1,2})\b/i;

/**
 * Hooks made of the advertiser's own words, none longer than 38 characters; best kinds first. At least one always fits.
 * No number, proof or deadline appears that is not in the brief.
 */
export function hooks(brief: Brief): Hook[] {
  const { product, offer, audience, pains, desires, proofPoints } = brief;
  const candidates: Hook[] = [
    ...pains.map((pain) => hook('question', `Done with ${lower(pain)}?`)),
    ...desires.map((desire) => hook('question', `${upper(desire)}?`)),
    ...proofPoints.map((proof) => hook(/\d/.test(proof) ? 'statistic' : 'authority', upper(proof))),
    ...pairs(pains, desires).map(([pain, desire]) =>
      hook('transformation', `${upper(pain)} → ${lower(desire)}`),
    ),
    ...(DATED.test(offer) ? [hook('urgency', upper(offer))] : [hook('pattern_interrupt', upper(offer))]),
    hook('story', `Meet ${product}`),
    hook('pattern_interrupt', `Wait. This is ${product}.`),
    hook('story', `${upper(product)} for ${lower(audience)}`),
    ...desires.map((desire) => hook('transformation', `You and ${lower(desire)}`)),
  ];
  const fitting = candidates.filter(({ text }) => text.length <= HOOK_MAX);
  const shortened = candidates.map(({ type, text }) => hook(type, shorten(text, HOOK_MAX)));
  return distinct([...fitting, ...shortened]).filter(({ text }) => isHonest(text, brief));
}

const CALLS: Readonly<Record<Brief['callToAction'], readonly string[]>> = {
  learn_more: ['Learn more', 'See how it works', 'Find out more'],
  book_call: ['Book a call', 'Talk to us', 'Pick a time'],
  download: ['Download now', 'Get the download', 'Download it'],
  buy_now: ['Buy now', 'Order yours', 'Get yours'],
};

export function callsToAction(brief: Brief): readonly string[] {
  return CALLS[brief.callToAction];
}

/**
 * At a word boundary, without dangling punctuation; within a word only when the first is too long. A number at the cut is left out,
 * because what followed may have been part of it.
 */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const whole = /^(.*\S)\s/su.exec(text.slice(0, max + 1))?.[1];
  return (whole ?? text.slice(0, max).replace(/[\uD800-\uDBFF]$/, ''))
    .replace(/(?:(?:^|\s)\S*\p{N}\S*)+$/u, '')
    .replace(/[\s,;:–—→-]+$/, '');
}

/** Longest text of a post. */
const POST_MAX = 500;

/** The post: pain, wish, promise, proof and what to do next. What does not fit is left out whole, the least needed first. */
export function postText(
  brief: Brief,
  { pain, desire, proof, call }: Record<'pain' | 'desire' | 'proof', string | undefined> & { call: string },
): string {
  const sentences: readonly { need: number; text: string }[] = [
    { need: 2, text: pain ? `${upper(pain)}?` : `For ${lower(brief.audience)}.` },
    { need: 3, text: desire ? `Imagine this for you: ${lower(desire)}.` : 'Made for you.' },
    { need: 1, text: `${brief.product}: ${brief.offer}.` },
    ...(proof ? [{ need: 4, text: `${upper(proof)}.` }] : []),
    { need: 0, text: `${call}.` },
  ].map(({ need, text }) => ({ need, text: text.replace(/([.!?])[.?]$/, '$1') }));
  for (let most = sentences.length; ; most--) {
    const kept = sentences.filter(({ need }) => need < most).map(({ text }) => text);
    const post = kept.join(' ');
    if (most === 1 || (post.length <= POST_MAX && isHonest(post, brief))) return post;
  }
}

export function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** First letter small, unless the first word is a name or an abbreviation. */
export function lower(text: string): string {
  const [first = ''] = text.split(/\s/, 1);
  return /^[A-Z][a-z]*$/.test(first) && first.length > 1
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}

/** `#` and ASCII letters only: `Sleep better!` → `#SleepBetter`. Words with digits are left out: a tag cannot say of what. */
export function hashtag(text: string): string | undefined {
  const words = (text.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !/\p{N}/u.test(word));
  const tag = words.slice(0, 3).map(upper).join('').replace(/[^\w]/g, '').slice(0, 40);
  return tag.length > 1 ? `#${tag}` : undefined;
}

function hook(type: Hook['type'], text: string): Hook {
  return { type, text };
}

function pairs(left: readonly string[], right: readonly string[]): [string, string][] {
  return left.flatMap((a, index): [string, string][] => {
    const b = right[index % Math.max(right.length, 1)];
    return b === undefined ? [] : [[a, b]];
  });
}

function distinct(hooksFound: readonly Hook[]): Hook[] {
  const seen = new Set<string>();
  return hooksFound.filter(({ text }) => {
    const isNew = text.length > 0 && !seen.has(text.toLowerCase());
    seen.add(text.toLowerCase());
    return isNew;
  });
}
