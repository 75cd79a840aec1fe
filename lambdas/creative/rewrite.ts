// How is a variation mended by what its judges said, when no model rewrites it?
import type { Mark } from './rubric.ts';
import { isHonest, tagWords } from './honest-claims.ts';
import type { Brief, Variation } from './types.ts';
import { withId } from './variation-id.ts';
import { callsToAction, hashtag, hooks, lower, postText, shorten, upper } from './wording.ts';

/** Repairs every item that lost points, once; what cannot be mended (the footage itself) stays. */
export function rewrite(
  variation: Variation,
  marks: readonly Mark[],
  brief: Brief,
  sourceSha256: string,
): Variation {
  const lost = new Set(
    marks.filter(({ points, max }) => points !== null && points < max).map(({ item }) => item),
  );
  if (lost.size === 0) return variation;
  const keepHook = !lost.has('hook') && !lost.has('pain') && isHonest(variation.hook.text, brief);
  const hook = keepHook ? variation.hook : (hooks(brief)[0] ?? variation.hook);
  const call =
    variation.callToAction.type === brief.callToAction && isHonest(variation.callToAction.text, brief)
      ? variation.callToAction
      : { type: brief.callToAction, text: callsToAction(brief)[0] ?? variation.callToAction.text };
  const [pain] = brief.pains;
  const [desire] = brief.desires;
  const [proof] = brief.proofPoints;
  const overlays: Readonly<Record<string, string>> = {
    hook: hook.text,
    problem: upper(pain ?? `For ${lower(brief.audience)}`),
    solution: `${brief.product}: ${brief.offer}`,
    proof: upper(proof ?? brief.offer),
    cta: call.text,
  };
  const seen = new Set<string>();
  const shots = inOrder(variation).map((shot) => {
    const first = !seen.has(shot.role);
    seen.add(shot.role);
    return { ...shot, textOverlay: first ? shorten(overlays[shot.role] ?? '', 80) : '' };
  });
  const tags = [hashtag(brief.product), hashtag(brief.audience)].filter((tag) => tag !== undefined);
  return withId(
    {
      ...variation,
      hook,
      callToAction: call,
      shots,
      primaryText: postText(brief, { pain, desire, proof, call: call.text }),
      headline: shorten(brief.offer, 60),
      hashtags: (lost.has('virality') ? tags : variation.hashtags).filter((tag) =>
        isHonest(tagWords(tag), brief),
      ),
      emotionalTriggers:
        variation.emotionalTriggers.length > 0 ? variation.emotionalTriggers : ['relief', 'aspiration'],
    },
    sourceSha256,
  );
}

const ORDER = ['hook', 'problem', 'proof', 'solution', 'cta'];

/** The story forwards; shots of one role keep their order. The last shot always carries the call to action. */
function inOrder({ shots }: Variation): Variation['shots'] {
  const sorted = shots.toSorted((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
  return sorted.map((shot, index) => {
    if (index === 0) return { ...shot, role: 'hook', transition: 'cut' };
    if (index === sorted.length - 1 && shot.role !== 'cta') return { ...shot, role: 'cta' };
    return shot;
  });
}
