// Does a text say anything about the product that the advertiser did not say?
import type { Brief } from './types.ts';

/** Words that assert a comparison, a guarantee or proof. */
const ASSERTIONS =
  /\b(best|fastest|cheapest|no\.? ?1|number one|guaranteed?|proven|certified|award[- ]winning|clinically|doctors?|experts? recommend|everyone|thousands|millions|always works|risk[- ]free)\b/gi;
/** Words that press with a shortage or a deadline. */
const SCARCITY =
  /\b(only \w+ left|last chance|spots? left|selling out|almost gone|while stocks? last|ends (today|tonight|soon|tomorrow)|hurry|limited (time|offer|edition|stock)|today only|expires?)\b/gi;
const NUMBERS = /\d+(?:[.,]\d+)*\s*(?:%|x\b)?/g;

/** Everything the advertiser vouches for, lower case. */
export function vouchedText(brief: Brief): string {
  return [brief.product, brief.offer, brief.audience, ...brief.pains, ...brief.desires, ...brief.proofPoints]
    .join('\n')
    .toLowerCase();
}

/** Phrases in `text` that assert something the brief does not: numbers, superlatives, proof. Empty is good. */
export function unsupportedClaims(text: string, brief: Brief): string[] {
  const vouched = vouchedText(brief);
  const vouchedNumbers = new Set(matches(vouched, NUMBERS));
  return [
    ...matches(text, NUMBERS).filter((number) => !vouchedNumbers.has(number)),
    ...matches(text, ASSERTIONS).filter((phrase) => !vouched.includes(phrase)),
  ];
}

/** Shortages and deadlines in `text` that the brief does not mention. Empty is good. */
export function inventedScarcity(text: string, brief: Brief): string[] {
  const vouched = vouchedText(brief);
  return matches(text, SCARCITY).filter((phrase) => !vouched.includes(phrase));
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.toLowerCase().matchAll(pattern)].map(([phrase]) => phrase.replace(/\s+/g, ' ').trim());
}
