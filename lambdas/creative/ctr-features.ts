// What does the click-through model look at in a scene or a variation?
import type { SceneFeatures, Variation } from './types.ts';

/**
 * One name list for scenes and variations, so that both are scored by one model. A value that is not available is
 * null and is neither zero nor an average: the model leaves its term out and widens its interval.
 */
export const CTR_FEATURES = [
  'motion',
  'contrast',
  'saturation',
  'sharpness',
  'brightness',
  'objects',
  'hasText',
  'hasSpeech',
  'loudness',
  'lengthSeconds',
  'cutsPerSecond',
  'openingMotion',
  'hookIsQuestion',
  'hookHasNumber',
  'hookWords',
  'addressesViewer',
  'hasCallToAction',
  'captionWords',
] as const;
export type CtrFeatureName = (typeof CTR_FEATURES)[number];
export type CtrFeatures = Readonly<Record<CtrFeatureName, number | null>>;

/** Objects beyond this many distinct kinds add nothing. */
const OBJECTS_FULL = 5;
/** Loudness is spread over the range from near silence to full programme level, LUFS. */
const QUIET_LUFS = -40;
const LOUD_LUFS = -10;

export function sceneCtrFeatures(scene: SceneFeatures): CtrFeatures {
  return {
    ...measured(scene),
    lengthSeconds: (scene.endMs - scene.startMs) / 1000,
    cutsPerSecond: null,
    openingMotion: scene.motion,
    hookIsQuestion: null,
    hookHasNumber: null,
    hookWords: null,
    addressesViewer: null,
    hasCallToAction: null,
    captionWords: null,
  };
}

/**
 * @param scenes every scene of the video; a shot takes its scene's measurements, weighted by screen time.
 * @throws Error when a shot cites a scene that is not among them.
 */
export function variationCtrFeatures(variation: Variation, scenes: readonly SceneFeatures[]): CtrFeatures {
  const shots = variation.shots.map((shot) => {
    const scene = scenes.find(({ id }) => id === shot.sceneId);
    if (!scene)
      throw new Error(
        `Variation ${variation.id} cites scene ${shot.sceneId}, which the video does not have.`,
      );
    return { values: measured(scene), motion: scene.motion, lengthMs: shot.endMs - shot.startMs };
  });
  const totalMs = shots.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  const hook = variation.hook.text;
  const words = variation.shots.map(({ textOverlay }) => textOverlay).join(' ');
  return {
    motion: weighted(shots, 'motion'),
    contrast: weighted(shots, 'contrast'),
    saturation: weighted(shots, 'saturation'),
    sharpness: weighted(shots, 'sharpness'),
    brightness: weighted(shots, 'brightness'),
    objects: weighted(shots, 'objects'),
    hasText: weighted(shots, 'hasText'),
    hasSpeech: weighted(shots, 'hasSpeech'),
    loudness: weighted(shots, 'loudness'),
    lengthSeconds: totalMs / 1000,
    cutsPerSecond: ((shots.length - 1) * 1000) / Math.max(totalMs, 1),
    openingMotion: shots[0]?.motion ?? null,
    hookIsQuestion: hook.includes('?') ? 1 : 0,
    hookHasNumber: /\d/.test(hook) ? 1 : 0,
    hookWords: countWords(hook),
    addressesViewer: /\byou(r|rs)?\b/i.test(`${hook} ${words}`) ? 1 : 0,
    hasCallToAction: variation.callToAction.text.length > 0 ? 1 : 0,
    captionWords: countWords(words),
  };
}

type Measured = Pick<
  CtrFeatures,
  | 'motion'
  | 'contrast'
  | 'saturation'
  | 'sharpness'
  | 'brightness'
  | 'objects'
  | 'hasText'
  | 'hasSpeech'
  | 'loudness'
>;

function measured(scene: SceneFeatures): Measured {
  return {
    motion: scene.motion,
    contrast: scene.contrast,
    saturation: scene.saturation,
    sharpness: scene.sharpness,
    brightness: scene.brightness,
    objects:
      scene.objects === null
        ? null
        : Math.min(new Set(scene.objects.map(({ name }) => name)).size / OBJECTS_FULL, 1),
    hasText: scene.texts === null ? null : Number(scene.texts.length > 0),
    hasSpeech: scene.words === null ? null : Number(scene.words.length > 0),
    loudness:
      scene.loudnessLufs === null
        ? null
        : Math.min(Math.max((scene.loudnessLufs - QUIET_LUFS) / (LOUD_LUFS - QUIET_LUFS), 0), 1),
  };
}

function weighted(
  shots: readonly { values: Measured; lengthMs: number }[],
  name: keyof Measured,
): number | null {
  const present = shots.flatMap(({ values, lengthMs }) => {
    const value = values[name];
    return value === null ? [] : [{ value, lengthMs }];
  });
  const totalMs = present.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  return totalMs === 0
    ? null
    : present.reduce((sum, { value, lengthMs }) => sum + value * lengthMs, 0) / totalMs;
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}
