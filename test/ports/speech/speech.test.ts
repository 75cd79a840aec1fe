import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOpenAiSpeech, openAiWords } from '../../../lambdas/ports/speech/openai.ts';
import type { Speech, SpeechJob } from '../../../lambdas/ports/speech/speech.ts';
import { createTranscribeSpeech } from '../../../lambdas/ports/speech/transcribe.ts';
import { DEFAULT_API_KEY } from '../../../lib/sandbox/openai/openai.ts';
import type { Failure } from '../../../lib/sandbox/switches.ts';
import { AWS_TEST_CREDENTIALS, failureOf, useWorld } from '../../sandbox/world.ts';

const world = useWorld();
const MEDIA = Buffer.from('not really a video');
const SHA = createHash('sha256').update(MEDIA).digest('hex');
const job: SpeechJob = {
  name: `transcript-${SHA}`,
  bucket: 'media',
  mediaKey: `acme/sources/${SHA}`,
  outputKey: `acme/analysis/${SHA}/transcript-v1.json`,
  languageCode: 'en-US',
};
const PROCESSED_MS = 20_000;

/** The media bucket as the vendor that reads and writes itself sees it. */
function store(): Parameters<typeof createOpenAiSpeech>[0]['store'] {
  const at = (key: string): Buffer | undefined =>
    key === job.mediaKey ? MEDIA : world.written.get(`media/${key}`);
  return {
    get: async (key) => at(key),
    async putJson(key, value) {
      world.written.set(`media/${key}`, Buffer.from(JSON.stringify(value)));
      return true;
    },
    async head(key) {
      const found = at(key);
      return found === undefined ? undefined : { sizeBytes: found.length };
    },
  };
}

const vendors = {
  transcribe: (): Speech =>
    createTranscribeSpeech({
      region: 'us-east-1',
      endpoint: `${world.sandbox.url}/transcribe`,
      credentials: AWS_TEST_CREDENTIALS,
      maxAttempts: 1,
      requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
    }),
  openai: (apiKey = DEFAULT_API_KEY): Speech =>
    createOpenAiSpeech({
      fetch,
      clock: world.clock,
      store: store(),
      baseUrl: `${world.sandbox.url}/openai`,
      apiKey,
      model: 'whisper-1',
      timeoutMs: 300,
    }),
};

describe.each(['transcribe', 'openai'] as const)('%s', (vendor) => {
  it('turns speech into timed words; starting twice is one job', async () => {
    world.sandbox.truth.addVideo(SHA, {
      scenes: [
        { startMs: 0, endMs: 2_000, words: [{ text: 'Hello,', startMs: 100, endMs: 400 }] },
        { startMs: 2_000, endMs: 4_000, words: [{ text: 'world.', startMs: 2_100, endMs: 2_600 }] },
      ],
    });
    const speech = vendors[vendor]();
    await speech.start(job);
    await speech.start(job);
    world.advance(PROCESSED_MS);
    expect(await speech.status(job)).toEqual({ state: 'done' });
    const result: unknown = JSON.parse(world.written.get(`media/${job.outputKey}`)?.toString() ?? '');
    expect(speech.words(result)).toEqual([
      { text: 'Hello,', startMs: 100, endMs: 400, confidence: expect.any(Number) },
      { text: 'world.', startMs: 2_100, endMs: 2_600, confidence: expect.any(Number) },
    ]);
    const effects = world.sandbox[vendor].requests.filter(
      ({ url, outcome }) => /Start|transcriptions/.test(url) && outcome === 200,
    );
    expect(effects).toHaveLength(1);
  });

  it('a result that is something else is InvalidInput', () => {
    expect(() => vendors[vendor]().words({ results: 'none', words: 'none' })).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }),
    );
  });

  const failures: [Failure, string][] = [
    ['throttle', 'RateLimited'],
    ['refuse', 'InvalidInput'],
    ['permission', 'Refused'],
    ['expired-token', 'Refused'],
    ['server-error', 'Unavailable'],
    ['timeout', 'Unavailable'],
    ['disconnect', 'Unavailable'],
    ['apply-and-lose-reply', 'Unavailable'],
  ];
  it.each(failures)('%s → %s', async (failure, expected) => {
    world.sandbox[vendor].fail({ with: failure });
    const error = await failureOf(vendors[vendor]().start(job));
    expect(error.name).toBe(expected);
    expect(error.message).not.toContain(DEFAULT_API_KEY);
    // Afterwards the same start succeeds, whether or not the first one happened.
    await vendors[vendor]().start(job);
  });
});

describe('transcribe', () => {
  it('says that a job runs, and why one failed', async () => {
    const speech = vendors.transcribe();
    world.sandbox.transcribe.fail({ match: { path: /Start/ }, with: 'fails-later' });
    await speech.start(job);
    expect(await speech.status(job)).toEqual({ state: 'running' });
    world.advance(PROCESSED_MS);
    expect(await speech.status(job)).toEqual({
      state: 'failed',
      reason: expect.stringContaining("isn't valid"),
    });
    expect((await failureOf(speech.status({ ...job, name: 'nobody' }))).name).toBe('InvalidInput');
  });
});

describe('openai', () => {
  it('refuses what the endpoint would not take, and an unknown key', async () => {
    const big = createOpenAiSpeech({
      fetch,
      clock: world.clock,
      store: {
        ...store(),
        head: async (key) => (key === job.mediaKey ? { sizeBytes: 26 * 1024 * 1024 } : undefined),
      },
      baseUrl: world.sandbox.url,
      apiKey: '',
      model: 'm',
      timeoutMs: 300,
    });
    expect((await failureOf(big.start(job))).name).toBe('Refused');
    expect(await vendors.openai().status(job)).toMatchObject({ state: 'failed' });
    expect((await failureOf(vendors.openai('wrong-key').start(job))).message).not.toContain('wrong-key');
    expect((await failureOf(vendors.openai().start({ ...job, mediaKey: 'acme/sources/none' }))).name).toBe(
      'InvalidInput',
    );
  });

  it('spreads the words of segments where a model times no words', () => {
    const words = openAiWords({ segments: [{ text: ' two words ', start: 1, end: 2 }] });
    expect(words.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
      ['two', 1_000, 1_500],
      ['words', 1_500, 2_000],
    ]);
  });
});
