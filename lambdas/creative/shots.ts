// Which parts of which scenes tell the story, in which order?
import type { Brief, PlannedShot, RankedScene, SceneFeatures, Variation } from './types.ts';

type Role = PlannedShot['role'];

/** Compliance (requirements): 3 to 90 seconds. */
export const AD_LENGTH_MS = { min: 3000, max: 90_000 };

/** Order of the story by template. Proof is left out when the advertiser vouches for nothing. */
export const STORY: Readonly<Record<Variation['template'], readonly Role[]>> = {
  hook_problem_solution: ['hook', 'problem', 'solution', 'proof', 'cta'],
  before_after: ['hook', 'problem', 'solution', 'cta'],
  demo: ['hook', 'solution', 'proof', 'cta'],
  story: ['hook', 'problem', 'proof', 'solution', 'cta'],
  list: ['hook', 'solution', 'solution', 'proof', 'cta'],
};
/** Seconds of thirty (requirements, default strategy). */
const SHARE: Readonly<Record<Role, number>> = { hook: 3, problem: 7, solution: 10, proof: 7, cta: 3 };
const LONGEST_SHOT_MS: Readonly<Record<Variation['pace'], number>> = { calm: 6000, steady: 4000, fast: 2500 };
const SHORTEST_SHOT_MS = 800;
const MAX_SHOTS = 12;

export interface ShotRequest {
  brief: Brief;
  template: Variation['template'];
  pace: Variation['pace'];
  transition: PlannedShot['transition'];
  /** Best first; the first opens the ad, the others follow in this order. */
  scenes: readonly SceneFeatures[];
  /** Overlay of each role. */
  texts: Readonly<Record<Role, string>>;
}

/**
 * Shots that add up to the wanted length, each inside its scene. Footage is used once before any is repeated.
 * @throws Error without scenes.
 */
export function planShots(request: ShotRequest): PlannedShot[] {
  const { brief, template, pace, transition, scenes, texts } = request;
  if (scenes.length === 0) throw new Error('A plan needs at least one scene.');
  const roles = STORY[template].filter((role) => role !== 'proof' || brief.proofPoints.length > 0);
  const shares = roles.reduce((sum, role) => sum + SHARE[role], 0);
  const wantedMs = brief.durationSeconds * 1000;
  const footage = new Footage(scenes);
  const shots: PlannedShot[] = [];
  const shoot = (role: Role, lengthMs: number, textOverlay: string): number => {
    const part = footage.take(lengthMs);
    shots.push({ ...part, role, textOverlay, transition: shots.length === 0 ? 'cut' : transition });
    return part.endMs - part.startMs;
  };
  let told = 0;
  let carriedMs = 0;
  for (const [index, role] of roles.entries()) {
    // Rounded on the whole, so that the parts add up to the wanted length.
    const fromMs = Math.round((wantedMs * told) / shares);
    told += SHARE[role];
    let remainingMs = Math.round((wantedMs * told) / shares) - fromMs + carriedMs;
    const fairShare = Math.max(1, Math.round((MAX_SHOTS * SHARE[role]) / shares));
    const most = Math.min(fairShare, MAX_SHOTS - shots.length - (roles.length - index - 1));
    for (let made = 0; made < most && (made === 0 || remainingMs >= SHORTEST_SHOT_MS); made++) {
      const lengthMs = made === most - 1 ? remainingMs : Math.min(remainingMs, LONGEST_SHOT_MS[pace]);
      remainingMs -= shoot(role, lengthMs, made === 0 ? texts[role] : '');
    }
    // Too short for a shot of its own: the next role takes it.
    carriedMs = remainingMs < SHORTEST_SHOT_MS ? remainingMs : 0;
  }
  let missingMs = AD_LENGTH_MS.min - shots.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  while (missingMs > 0 && shots.length < MAX_SHOTS)
    missingMs -= shoot('cta', Math.max(missingMs, SHORTEST_SHOT_MS), '');
  return shots;
}

/** Footage in order of preference, consumed from the start of each scene. */
class Footage {
  readonly #scenes: readonly SceneFeatures[];
  #next = 0;
  #used = new Map<string, number>();

  constructor(scenes: readonly SceneFeatures[]) {
    this.#scenes = scenes;
  }

  take(wantedMs: number): { sceneId: string; startMs: number; endMs: number } {
    for (let tried = 0; tried < this.#scenes.length; tried++) {
      const scene = this.#scenes[(this.#next + tried) % this.#scenes.length] as SceneFeatures;
      const startMs = this.#used.get(scene.id) ?? scene.startMs;
      if (scene.endMs - startMs >= Math.min(SHORTEST_SHOT_MS, scene.endMs - scene.startMs)) {
        const endMs = Math.min(startMs + wantedMs, scene.endMs);
        this.#used.set(scene.id, endMs);
        this.#next += tried + 1;
        return { sceneId: scene.id, startMs, endMs };
      }
    }
    this.#used.clear();
    return this.take(wantedMs);
  }
}

/** Usable scenes, best first, near-duplicates last; rotated so that each variation opens differently. */
export function scenesFor(
  index: number,
  ranked: readonly RankedScene[],
  scenes: readonly SceneFeatures[],
): SceneFeatures[] {
  const order = [
    ...ranked.filter(({ duplicateOf }) => duplicateOf === null),
    ...ranked.filter(({ duplicateOf }) => duplicateOf !== null),
  ];
  const usable = order.flatMap(({ sceneId }) => scenes.find(({ id }) => id === sceneId) ?? []);
  const openers = Math.min(usable.length, 5);
  const opener = usable[index % Math.max(openers, 1)];
  return opener ? [opener, ...usable.filter(({ id }) => id !== opener.id)] : [];
}
