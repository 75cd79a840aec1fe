// What is to be seen in one frame?

/** A frame in the media bucket; the service reads it there, with the caller's permission. */
export interface FrameRef {
  bucket: string;
  /** `<tenant>/frames/<sha256>/<sceneId>.jpg` */
  key: string;
}

export interface FrameContent {
  objects: { name: string; count: number; /** 0..1 */ confidence: number }[];
  /** Lines of text, top to bottom. */
  texts: string[];
}

/** @throws InvalidInput (not an image), Refused, RateLimited, Unavailable. */
export interface Vision {
  look(frame: FrameRef): Promise<FrameContent>;
}
