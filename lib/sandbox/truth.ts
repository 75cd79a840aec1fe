// What is really in the videos that the simulated vision and speech services are asked about?

export interface TruthWord {
  text: string;
  /** From the start of the video. */
  startMs: number;
  endMs: number;
}

export interface TruthObject {
  name: string;
  count: number;
  /** 0..1; the first object of a scene is the surest when absent. */
  confidence?: number;
}

export interface TruthScene {
  startMs: number;
  endMs: number;
  objects?: readonly TruthObject[];
  texts?: readonly string[];
  words?: readonly TruthWord[];
}

/** Scenes in time order; the first is `s01`. */
export interface VideoTruth {
  scenes: readonly TruthScene[];
}

export interface FrameTruth {
  objects: readonly TruthObject[];
  texts: readonly string[];
}

export interface TruthRegistry {
  /** Answers about the video with this content hash (hex). */
  addVideo(sha256: string, truth: VideoTruth): void;
  /** `undefined` for what nobody registered. Key: `<tenant>/frames/<sha256>/<sceneId>.jpg`. */
  frame(key: string): FrameTruth | undefined;
  /** Words in time order. Key: `<tenant>/sources/<sha256>`. */
  words(key: string): readonly TruthWord[] | undefined;
}

export function createTruthRegistry(): TruthRegistry {
  const videos = new Map<string, VideoTruth>();
  return {
    addVideo(sha256, truth) {
      videos.set(sha256, truth);
    },
    frame(key) {
      const match = /\/frames\/([0-9a-f]{64})\/s(\d{2,4})\.jpg$/.exec(key);
      const scene = videos.get(match?.[1] ?? '')?.scenes[Number(match?.[2]) - 1];
      if (scene === undefined) return undefined;
      return { objects: scene.objects ?? [], texts: scene.texts ?? [] };
    },
    words(key) {
      const match = /\/sources\/([0-9a-f]{64})$/.exec(key);
      return videos
        .get(match?.[1] ?? '')
        ?.scenes.flatMap((scene) => scene.words ?? [])
        .toSorted((a, b) => a.startMs - b.startMs);
    },
  };
}
