// What is really in a generated video?

/** Something between two shots that is not a hard cut: at most one scene boundary may be found inside. */
export interface Transition {
  kind: 'dissolve' | 'fade' | 'flash';
  startMs: number;
  endMs: number;
}

export interface ClipTruth {
  name: string;
  path: string;
  durationMs: number;
  frameRate: number;
  width: number;
  height: number;
  hasAudio: boolean;
  /** Times of the first frames after hard cuts. */
  cutsMs: number[];
  transitions: Transition[];
}

export interface CorpusTruth {
  seed: number;
  clips: ClipTruth[];
}

/** What recognition services would find in one scene; the sandbox answers from it. */
export interface SceneTruth {
  startMs: number;
  endMs: number;
  objects: { name: string; count: number; confidence: number }[];
  texts: string[];
  words: { text: string; startMs: number; endMs: number }[];
}

/** JSON-able; kept beside the sample video. */
export interface SampleTruth {
  sha256?: string;
  scenes: SceneTruth[];
}
