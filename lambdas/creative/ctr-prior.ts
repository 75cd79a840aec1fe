// What does the click-through model believe before it has seen a single outcome?
import type { CtrModel } from './ctr-model.ts';

/** Link click-through that a new account starts from, percent; an assumption until its own outcomes replace it. */
export const PRIOR_CTR_PERCENT = 1;

/** Halving or doubling the base rate is one standard deviation: ln 2. */
const INTERCEPT_DEVIATION = Math.log(2);
/** Directions of common creative practice, kept weak: one standard deviation of a feature moves the odds by 5 %. */
const WEAK = 0.05;
/** Nobody has measured these for the account: the truth may as well be the other way round. */
const DEVIATION = 0.15;

const feature = (
  name: CtrModel['features'][number]['name'],
  mean: number,
  scale: number,
  direction: 1 | 0 | -1,
) => ({
  name,
  mean,
  scale,
  weight: direction * WEAK,
  deviation: DEVIATION,
});

/**
 * Version 0: a weakly informative prior, not fitted to any data. It says only "about one in a hundred, more for moving,
 * sharp openings that speak to the viewer", and its wide interval says how little that is. Outcomes retrain it.
 */
export const PRIOR_MODEL: CtrModel = {
  version: '0',
  intercept: {
    weight: Math.log(PRIOR_CTR_PERCENT / (100 - PRIOR_CTR_PERCENT)),
    deviation: INTERCEPT_DEVIATION,
  },
  features: [
    feature('motion', 0.1, 0.1, 1),
    feature('contrast', 0.4, 0.2, 1),
    feature('saturation', 0.3, 0.2, 1),
    feature('sharpness', 0.5, 0.25, 1),
    feature('brightness', 0.5, 0.2, 0),
    feature('objects', 0.4, 0.3, 1),
    feature('hasText', 0.5, 0.5, 1),
    feature('hasSpeech', 0.5, 0.5, 1),
    feature('loudness', 0.6, 0.25, 0),
    feature('lengthSeconds', 15, 10, -1),
    feature('cutsPerSecond', 0.4, 0.25, 1),
    feature('openingMotion', 0.1, 0.1, 1),
    feature('hookIsQuestion', 0.4, 0.5, 1),
    feature('hookHasNumber', 0.2, 0.4, 1),
    feature('hookWords', 5, 2, -1),
    feature('addressesViewer', 0.5, 0.5, 1),
    feature('hasCallToAction', 1, 1, 1),
    feature('captionWords', 20, 10, 0),
  ],
};
