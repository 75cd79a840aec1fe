// How does a judge without a model mark a variation, item by item?
import { inventedScarcity, shownText, unsupportedClaims, vouchedText } from './honest-claims.ts';
import { HOOK_MAX } from './wording.ts';
import type { Brief, Variation } from './types.ts';

/** Points out of `max`, or null when the item cannot apply (no proof to cite); such items leave the rubric. */
export interface Mark {
  item: string;
  max: number;
  points: number | null;
  note: string | null;
}

type Item = { item: string; max: number; judge: (ad: Ad) => Judgement };
/** Share of the points earned, 0..1; null = does not apply. */
type Judgement = { share: number | null; note: string };

interface Ad {
  variation: Variation;
  brief: Brief;
  /** Hook, overlays, post text, headline and call to action. */
  everything: string;
  overlay(role: string): string;
}

export const RUBRICS = {
  creative: [
    { item: 'hook', max: 30, judge: hookItem },
    { item: 'emotion', max: 25, judge: emotionItem },
    { item: 'value', max: 20, judge: valueItem },
    { item: 'callToAction', max: 15, judge: callItem },
    { item: 'virality', max: 10, judge: viralityItem },
  ],
  psychology: [
    { item: 'pain', max: 30, judge: painItem },
    { item: 'triggers', max: 25, judge: triggersItem },
    { item: 'proof', max: 20, judge: proofItem },
    { item: 'authority', max: 15, judge: authorityItem },
    { item: 'scarcity', max: 10, judge: scarcityItem },
  ],
  logic: [
    { item: 'flow', max: 30, judge: flowItem },
    { item: 'argument', max: 25, judge: argumentItem },
    { item: 'consistency', max: 20, judge: consistencyItem },
    { item: 'claims', max: 15, judge: claimsItem },
    { item: 'nextStep', max: 10, judge: nextStepItem },
  ],
} as const satisfies Record<string, readonly Item[]>;
export type RubricName = keyof typeof RUBRICS;

/** Marks for each item of one rubric (points: requirements, AI council). */
export function mark(rubric: RubricName, variation: Variation, brief: Brief): Mark[] {
  const ad: Ad = {
    variation,
    brief,
    everything: [
      variation.hook.text,
      ...variation.shots.map(({ textOverlay }) => textOverlay),
      variation.primaryText,
      variation.headline,
      variation.callToAction.text,
    ].join('\n'),
    overlay: (role) =>
      variation.shots
        .filter((shot) => shot.role === role)
        .map(({ textOverlay }) => textOverlay)
        .join(' ')
        .trim(),
  };
  return RUBRICS[rubric].map(({ item, max, judge }: Item) => {
    const { share, note } = judge(ad);
    return {
      item,
      max,
      points: share === null ? null : Math.round(max * share * 10) / 10,
      note: share === 1 || share === null ? null : note,
    };
  });
}

/** 0..100 over the items that apply. */
export function totalOf(marks: readonly Mark[]): number {
  const counted = marks.filter(({ points }) => points !== null);
  const max = counted.reduce((sum, one) => sum + one.max, 0);
  return max === 0 ? 0 : (100 * counted.reduce((sum, { points }) => sum + (points ?? 0), 0)) / max;
}

function hookItem({ variation, brief }: Ad): Judgement {
  const { text } = variation.hook;
  const words = text.split(/\s+/).length;
  const speaksOfBrief = sharesWord(text, vouchedText(brief));
  const share =
    (text.length <= HOOK_MAX ? 0.4 : 0) + (words >= 2 && words <= 9 ? 0.2 : 0) + (speaksOfBrief ? 0.4 : 0);
  return {
    share: round(share),
    note: `The hook “${text}” should say something of the offer in 2–9 words and ${HOOK_MAX} characters.`,
  };
}

function emotionItem({ variation, brief, everything }: Ad): Judgement {
  const feelings = [...brief.pains, ...brief.desires];
  if (feelings.length === 0) return { share: null, note: '' };
  const touched = feelings.some((feeling) => sharesWord(everything, feeling));
  return {
    share: (touched ? 0.7 : 0) + (variation.emotionalTriggers.length > 0 ? 0.3 : 0),
    note: 'Nothing in the ad touches what the audience fears or wishes for.',
  };
}

function valueItem({ brief, everything }: Ad): Judgement {
  const share =
    (contains(everything, brief.product) ? 0.5 : 0) + (sharesWord(everything, brief.offer, 0.5) ? 0.5 : 0);
  return { share, note: 'The ad should name the product and what is offered.' };
}

function callItem({ variation, brief, overlay }: Ad): Judgement {
  const share =
    (variation.callToAction.type === brief.callToAction ? 0.5 : 0) +
    (overlay('cta') === variation.callToAction.text ? 0.5 : 0);
  return { share, note: 'The call to action should be the one asked for and stand on the last shot.' };
}

function viralityItem({ variation, everything }: Ad): Judgement {
  const tags = variation.hashtags.length;
  const share = (tags >= 1 && tags <= 5 ? 0.5 : 0) + (/\byou(r|rs)?\b|\?/i.test(everything) ? 0.5 : 0);
  return { share, note: 'One to five hashtags, and a question or a “you”, make an ad easier to pass on.' };
}

function painItem({ variation, brief, overlay }: Ad): Judgement {
  if (brief.pains.length === 0) return { share: null, note: '' };
  const named = brief.pains.some((pain) =>
    sharesWord(`${variation.hook.text} ${overlay('problem')} ${variation.primaryText}`, pain, 0.5),
  );
  return { share: named ? 1 : 0, note: 'No pain of the audience is named.' };
}

function triggersItem({ variation, brief, everything }: Ad): Judgement {
  const declared = variation.emotionalTriggers.length > 0 ? 0.4 : 0;
  const wishes = brief.desires.length > 0 ? brief.desires : [brief.offer];
  return {
    share: declared + (wishes.some((wish) => sharesWord(everything, wish, 0.5)) ? 0.6 : 0),
    note: 'The ad should promise something the audience wishes for and say which feeling it speaks to.',
  };
}

function proofItem({ brief, everything }: Ad): Judgement {
  if (brief.proofPoints.length === 0) return { share: null, note: '' };
  const cited = brief.proofPoints.some((proof) => sharesWord(everything, proof, 0.7));
  return { share: cited ? 1 : 0, note: 'A proof point was given and is not used.' };
}

function authorityItem({ variation, brief }: Ad): Judgement {
  const invented = unsupportedClaims(shownText(variation), brief);
  return { share: invented.length === 0 ? 1 : 0, note: `Not vouched for: ${invented.join(', ')}.` };
}

function scarcityItem({ variation, brief }: Ad): Judgement {
  const invented = inventedScarcity(shownText(variation), brief);
  return { share: invented.length === 0 ? 1 : 0, note: `Invented scarcity: ${invented.join(', ')}.` };
}

const PLACE = { hook: 0, problem: 1, solution: 2, proof: 2, cta: 3 } as const;

function flowItem({ variation: { shots } }: Ad): Judgement {
  const opens = shots[0]?.role === 'hook';
  const closes = shots.at(-1)?.role === 'cta';
  // Proof may stand before or after the solution; nothing else goes backwards.
  const forward = shots.every(
    (shot, index) => index === 0 || PLACE[shot.role] >= PLACE[(shots[index - 1] ?? shot).role],
  );
  return {
    share: round((opens ? 0.4 : 0) + (closes ? 0.3 : 0) + (forward ? 0.3 : 0)),
    note: 'Open with the hook, close with the call to action, and do not go back to the problem.',
  };
}

function argumentItem({ brief, overlay }: Ad): Judgement {
  const solution = overlay('solution');
  const names = contains(solution, brief.product) || sharesWord(solution, brief.offer, 0.5);
  return { share: names ? 1 : 0, note: 'The solution shots should say how the product answers the problem.' };
}

function consistencyItem({ variation, brief, overlay }: Ad): Judgement {
  const sameHook = overlay('hook').startsWith(variation.hook.text);
  const sameOffer = sharesWord(variation.headline, `${brief.offer} ${brief.product}`);
  return {
    share: (sameHook ? 0.5 : 0) + (sameOffer ? 0.5 : 0),
    note: 'Hook, headline and shots should tell one story.',
  };
}

function claimsItem({ variation, brief }: Ad): Judgement {
  const invented = unsupportedClaims(shownText(variation), brief);
  return { share: invented.length === 0 ? 1 : 0, note: `Cannot be checked: ${invented.join(', ')}.` };
}

function nextStepItem({ variation }: Ad): Judgement {
  const said = contains(variation.primaryText, variation.callToAction.text);
  return { share: said ? 1 : 0, note: 'The post should end with what to do next.' };
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

/** Words of four letters or more that `text` shares with `source`, as a share of the source's; true from `atLeast`. */
function sharesWord(text: string, source: string, atLeast = 0): boolean {
  const words = (value: string): Set<string> =>
    new Set(value.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? []);
  const wanted = words(source);
  if (wanted.size === 0) return contains(text, source);
  const present = words(text);
  const shared = [...wanted].filter((word) => present.has(word)).length / wanted.size;
  return atLeast === 0 ? shared > 0 : shared >= atLeast;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
