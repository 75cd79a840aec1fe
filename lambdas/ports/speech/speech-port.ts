// How does a task get ears, if the stage has any?
import * as z from 'zod';
import { awsClientConfig } from '../../runtime/aws-client.ts';
import { bucketNeed } from '../../runtime/bucket.ts';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import type { Need } from '../../runtime/need.ts';
import { ApiKey, platformSecrets } from '../api-key.ts';
import { behindCircuit, SHARED } from '../behind-circuit.ts';
import { createOpenAiSpeech } from './openai.ts';
import type { Speech } from './speech.ts';
import { createTranscribeSpeech } from './transcribe.ts';

const config = configNeed({
  speechProvider: { env: 'SPEECH_PROVIDER', schema: z.enum(['none', 'transcribe', 'openai']) },
  speechBaseUrl: { env: 'SPEECH_BASE_URL', schema: z.string().default('') },
  speechModel: { env: 'SPEECH_MODEL', schema: z.string().default('whisper-1') },
});
/** Transcribe reads the source and writes the result with the caller's permission; the other vendor does it through us. */
const media = bucketNeed([
  { prefix: 'sources/', access: 'read' },
  { prefix: 'analysis/', access: 'read' },
  { prefix: 'analysis/', access: 'write' },
]);

const TIMEOUT_MS = 120_000;

/** Null without a provider: words are then missing, not empty. */
export const speechPort: Need<(() => Promise<Speech>) | null> = {
  grants: [
    ...config.grants,
    ...media.grants,
    ...platformSecrets.grants,
    ...circuitsNeed.grants,
    {
      actions: ['transcribe:StartTranscriptionJob', 'transcribe:GetTranscriptionJob'],
      on: { kind: 'any', reason: 'The job does not exist when the permission is given.' },
    },
  ],
  env: { ...config.env, ...media.env, ...platformSecrets.env, ...circuitsNeed.env },
  open(env, context) {
    const { speechProvider, speechBaseUrl, speechModel } = config.open(env, context);
    if (speechProvider === 'none') return null;
    const circuits = circuitsNeed.open(env, context);
    const guarded = (speech: Speech): Speech => behindCircuit(speech, circuits, 'speech', SHARED, ['words']);
    if (speechProvider === 'transcribe') {
      const speech = guarded(createTranscribeSpeech(awsClientConfig(env, 'TRANSCRIBE')));
      return async () => speech;
    }
    if (speechBaseUrl === '') throw new Error('SPEECH_BASE_URL is not set, but SPEECH_PROVIDER is openai.');
    const store = media.open(env, context);
    const secrets = platformSecrets.open(env, context);
    return async () => {
      const { apiKey } = await secrets.read('platform/speech', ApiKey);
      const speech = createOpenAiSpeech({
        fetch,
        clock: context.clock,
        store,
        baseUrl: speechBaseUrl,
        apiKey,
        model: speechModel,
        timeoutMs: TIMEOUT_MS,
      });
      return guarded(speech);
    };
  },
};
