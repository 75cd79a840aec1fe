// Does a text say anything about the product that the advertiser did not say?
import type { Brief, Variation } from './types.ts';

/** Words that assert a comparison, a guarantee or proof. */
const ASSERTIONS =
  /\b(best|fastest|cheapest|no\.? ?1|number one|guaranteed?|proven|certified|award[- ]winning|clinically|doctors?|experts? recommend|everyone|thousands|millions|always works|risk[- ]free)\b/gi;
/** Words that press with a shortage or a deadline. */
const SCARCITY =
  /\b(only \w+ left|last chance|spots? left|selling out|almost gone|while stocks? last|ends (today|tonight|soon|tomorrow)|hurry|limited (time|offer|edition|stock)|today only|expires?)\b/gi;
/** Digits of any script with their separators; a percent sign or an `x` on the same line belongs to them. */
const NUMBERS = /\p{N}+(?:[.,]\p{N}+)*[ \t\u00a0\u202f]*(?:%|x\b)?/gu;

/** Everything the advertiser vouches for, lower case. */
export function vouchedText(brief: Brief): string {
  return [brief.product, brief.offer, brief.audience, ...brief.pains, ...brief.desires, ...brief.proofPoints]
    .join('\n')
    .toLowerCase();
}

/** Phrases in `text` that assert something the brief does not: numbers, superlatives, proof. Empty is good. */
export function unsupportedClaims(text: string, brief: Brief): string[] {
  return [...notVouched(text, brief, NUMBERS), ...notVouched(text, brief, ASSERTIONS)];
}

/** Shortages and deadlines in `text` that the brief does not mention. Empty is good. */
export function inventedScarcity(text: string, brief: Brief): string[] {
  return notVouched(text, brief, SCARCITY);
}

/** Whether a text asserts, counts or presses only as far as the brief does. */
export function isHonest(text: string, brief: Brief): boolean {
  return unsupportedClaims(text, brief).length === 0 && inventedScarcity(text, brief).length === 0;
}

/** Whole phrases are compared: “bestow” vouches for no “best”. */
function notVouched(text: string, brief: Brief, pattern: RegExp): string[] {
  const vouched = new Set(matches(vouchedText(brief), pattern));
  return matches(text, pattern).filter((phrase) => !vouched.has(phrase));
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.toLowerCase().matchAll(pattern)].map(([phrase]) => phrase.replace(/\s+/g, ' ').trim());
}

/** What a hashtag says: `#BestLamp50` is “Best Lamp 50”. */
export function tagWords(tag: string): string {
  return tag.replaceAll(/(?<=[a-z])(?=[A-Z\d])|[#_]/g, ' ').trim();
}

/** Everything people read of a variation, a line each. */
export function shownText({ hook, primaryText, headline, callToAction, hashtags, shots }: Variation): string {
  const overlays = shots.map(({ textOverlay }) => textOverlay);
  return [hook.text, primaryText, headline, callToAction.text, ...hashtags.map(tagWords), ...overlays].join(
    '\n',
  );
}
