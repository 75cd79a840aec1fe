// Which variations do we make when no model writes them?
import {
  CAPTION_STYLES,
  GRADES,
  PACES,
  TEMPLATES,
  TRANSITIONS,
  type BattlePlan,
  type Brief,
  type RankedScene,
  type SceneFeatures,
  type Variation,
} from './types.ts';
import { isHonest, tagWords } from './honest-claims.ts';
import { planShots, scenesFor } from './shots.ts';
import { withId } from './variation-id.ts';
import { callsToAction, hashtag, hooks, lower, postText, shorten, upper } from './wording.ts';

export interface DirectorInput {
  brief: Brief;
  scenes: readonly SceneFeatures[];
  /** Best first. */
  ranked: readonly RankedScene[];
  sourceSha256: string;
}

/**
 * The default strategy: `brief.count` variations that differ in hook, order, captions, grade, call to action and pace.
 * Deterministic; every word comes from the brief or from wording that asserts nothing.
 */
export function defaultPlan(input: DirectorInput): Pick<BattlePlan, 'id' | 'title' | 'variations'> {
  const variations = Array.from({ length: input.brief.count }, (_, index) => variation(input, index));
  return {
    id: `plan-${input.sourceSha256.slice(0, 12)}`,
    title: shorten(`${input.brief.product}: ${input.brief.offer}`, 120),
    variations,
  };
}

function variation({ brief, scenes, ranked, sourceSha256 }: DirectorInput, index: number): Variation {
  const found = hooks(brief);
  const hook = at(found, index);
  const template = at(TEMPLATES, index);
  const pace = at(PACES, index + 1);
  const call = at(callsToAction(brief), index);
  const pain = brief.pains.length > 0 ? at(brief.pains, index) : undefined;
  const desire = brief.desires.length > 0 ? at(brief.desires, index) : undefined;
  const proof = brief.proofPoints.length > 0 ? at(brief.proofPoints, index) : undefined;
  const promise = `${brief.product}: ${brief.offer}`;
  const texts = {
    hook: hook.text,
    problem: shorten(upper(pain ?? `For ${lower(brief.audience)}`), 80),
    solution: shorten(promise, 80),
    proof: shorten(upper(proof ?? brief.offer), 80),
    cta: call,
  };
  return withId(
    {
      title: shorten(`${index + 1}. ${hook.text}`, 120),
      hook,
      template,
      shots: planShots({
        brief,
        template,
        pace,
        transition: at(TRANSITIONS, index),
        scenes: scenesFor(index, ranked, scenes),
        texts,
      }),
      callToAction: { type: brief.callToAction, text: call },
      captionStyle: at(CAPTION_STYLES, index),
      grade: at(GRADES, index),
      pace,
      primaryText: postText(brief, { pain, desire, proof, call }),
      headline: shorten(brief.offer, 60),
      hashtags: [hashtag(brief.product), hashtag(desire ?? brief.audience)].filter(
        (tag): tag is string => tag !== undefined && isHonest(tagWords(tag), brief),
      ),
      targetAudience: brief.audience,
      emotionalTriggers: [pain ? 'relief' : 'curiosity', desire ? 'aspiration' : 'belonging'],
    },
    sourceSha256,
  );
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index % list.length];
  if (value === undefined) throw new Error('An empty list of choices.');
  return value;
}
