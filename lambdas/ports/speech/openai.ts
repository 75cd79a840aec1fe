// How does an OpenAI-compatible endpoint turn speech into timed words?
import * as z from 'zod';
import type { Word } from '../../creative/types.ts';
import { InvalidInput, Refused, Unavailable } from '../../runtime/errors.ts';
import { parseAs } from '../../runtime/parse.ts';
import type { Clock } from '../../runtime/clock.ts';
import { httpClient, type Fetch } from '../../runtime/http.ts';
import { openAiError } from '../openai-errors.ts';
import { shaped } from '../shaped.ts';
import type { Speech } from './speech.ts';

/** The part of the media bucket that this vendor needs: it reads the media itself and leaves the result where a job would. */
export interface MediaStore {
  get(key: string): Promise<Buffer | undefined>;
  putJson(key: string, value: unknown): Promise<boolean>;
  head(key: string): Promise<{ sizeBytes: number } | undefined>;
}

export interface OpenAiSpeechOptions {
  fetch: Fetch;
  clock: Clock;
  store: MediaStore;
  /** Without `/v1`. */
  baseUrl: string;
  /** Empty for endpoints that ask for none. */
  apiKey: string;
  model: string;
  timeoutMs: number;
}

const Verbose = z.object({
  words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })).optional(),
  segments: z.array(z.object({ text: z.string(), start: z.number(), end: z.number() })).optional(),
});

/** File limit of the hosted service (guides/speech-to-text). */
const MOST_MEDIA_BYTES = 25 * 1024 * 1024;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Whisper reports no confidence per word. */
const UNKNOWN_CONFIDENCE = 0.5;

/** Answers at once: the job is done when `start` returns, and known by its result object. */
export function createOpenAiSpeech(options: OpenAiSpeechOptions): Speech {
  const { store } = options;
  return {
    async start(job) {
      if ((await store.head(job.outputKey)) !== undefined) return;
      const head = await store.head(job.mediaKey);
      if (head === undefined)
        throw new InvalidInput(`There is no media ${job.mediaKey}.`, { path: 'mediaKey' });
      if (head.sizeBytes > MOST_MEDIA_BYTES) {
        throw new Refused(
          `The media is larger than the ${MOST_MEDIA_BYTES / 1024 / 1024} MB that the transcription endpoint takes.`,
        );
      }
      const media = await store.get(job.mediaKey);
      if (media === undefined)
        throw new InvalidInput(`There is no media ${job.mediaKey}.`, { path: 'mediaKey' });
      await store.putJson(job.outputKey, await transcribe(options, media, job.languageCode));
    },
    async status(job) {
      const isDone = (await store.head(job.outputKey)) !== undefined;
      return isDone ? { state: 'done' } : { state: 'failed', reason: 'The transcription was never made.' };
    },
    words: openAiWords,
  };
}

async function transcribe(
  options: OpenAiSpeechOptions,
  media: Buffer,
  languageCode: string,
): Promise<unknown> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(media)], { type: 'video/mp4' }), 'media.mp4');
  form.set('model', options.model);
  form.set('language', languageCode.split('-')[0] ?? 'en');
  form.set('response_format', 'verbose_json');
  form.append('timestamp_granularities[]', 'word');
  const what = 'Speech endpoint: transcribe';
  const http = httpClient({
    fetch: options.fetch,
    clock: options.clock,
    vendor: 'Speech endpoint',
    timeoutMs: options.timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    toError: (answer) => openAiError(answer, what),
  });
  const answer = await http.call({
    what: 'transcribe',
    method: 'POST',
    url: `${options.baseUrl.replace(/\/$/, '')}/v1/audio/transcriptions`,
    headers: options.apiKey === '' ? {} : { authorization: `Bearer ${options.apiKey}` },
    body: form,
  });
  const read = shaped(Verbose, answer.json, what);
  if (read.words === undefined && read.segments === undefined) {
    throw new Unavailable(`${what} was answered without any times.`);
  }
  return read;
}

/** Words, or where the model gives only segments, their words spread evenly. @throws InvalidInput for another shape. */
export function openAiWords(result: unknown): Word[] {
  const { words, segments = [] } = parseAs(Verbose, result, 'The transcript');
  const timed = words ?? segments.flatMap(({ text, start, end }) => spread(text, start, end));
  return timed.map(({ word, start, end }) => ({
    text: word.trim().slice(0, 200),
    startMs: Math.round(start * 1000),
    endMs: Math.round(end * 1000),
    confidence: UNKNOWN_CONFIDENCE,
  }));
}

function spread(text: string, start: number, end: number): { word: string; start: number; end: number }[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const each = (end - start) / Math.max(1, words.length);
  return words.map((word, index) => ({ word, start: start + index * each, end: start + (index + 1) * each }));
}
