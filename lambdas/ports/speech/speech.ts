// What is said in a video, word by word?
import type { Word } from '../../creative/types.ts';

export interface SpeechJob {
  /** Letters, digits, `.`, `_`, `-`; at most 200. The same name is the same job. */
  name: string;
  bucket: string;
  /** Media with an audio track, `<tenant>/sources/<sha256>`. */
  mediaKey: string;
  /** Where the vendor's result goes, `<tenant>/analysis/<sha256>/transcript-v1.json`. */
  outputKey: string;
  /** BCP 47, `en-US`. */
  languageCode: string;
}

export type SpeechStatus = { state: 'running' } | { state: 'done' } | { state: 'failed'; reason: string };

/**
 * Start → wait → status → read the object at `outputKey` → `words`. @throws InvalidInput (the media cannot be understood), Refused,
 * RateLimited, Unavailable.
 */
export interface Speech {
  /** Starting a job that exists changes nothing. A vendor that answers at once is done when this returns. */
  start(job: SpeechJob): Promise<void>;
  status(job: SpeechJob): Promise<SpeechStatus>;
  /** The parsed JSON at `outputKey` as words in time order. @throws InvalidInput when it is something else. */
  words(result: unknown): Word[];
}
