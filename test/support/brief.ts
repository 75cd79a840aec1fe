// What does a test ask creative-generation to advertise?

export const BRIEF = {
  product: 'Meal planner',
  offer: 'A week of dinners planned for you',
  audience: 'busy parents',
  pains: ['No idea what to cook tonight'],
  desires: ['Calm evenings'],
  proofPoints: ['Plans 7 dinners in 2 minutes'],
  callToAction: 'learn_more',
  landingUrl: 'https://example.com/planner',
};

/** One scene as an analysis answers it. */
export function sceneFeatures(id: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id,
    startMs: 0,
    endMs: 4000,
    motion: 0.3,
    brightness: 0.5,
    contrast: 0.4,
    saturation: 0.6,
    sharpness: 0.5,
    loudnessLufs: -18,
    silenceRatio: 0.1,
    focus: { x: 0.5, y: 0.5 },
    objects: [{ name: 'Person', count: 1, confidence: 0.9 }],
    texts: [],
    words: [],
    frameKey: 'demo/frames/x/s01.jpg',
    missing: [],
    ...over,
  };
}
