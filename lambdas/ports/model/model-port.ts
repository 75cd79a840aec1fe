// How does a task get a language model, if the stage has one?
import * as z from 'zod';
import { awsClientConfig } from '../../runtime/aws-client.ts';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import type { Need } from '../../runtime/need.ts';
import { ApiKey, platformSecrets } from '../api-key.ts';
import { behindCircuit, SHARED } from '../behind-circuit.ts';
import { createBedrockModel } from './bedrock.ts';
import type { Model } from './model.ts';
import { createOpenAiModel } from './openai.ts';

const config = configNeed({
  modelProvider: { env: 'MODEL_PROVIDER', schema: z.enum(['none', 'bedrock', 'openai']) },
  modelBaseUrl: { env: 'MODEL_BASE_URL', schema: z.string().default('') },
  modelName: { env: 'MODEL_NAME', schema: z.string().default('') },
});

/** A long plan takes a while; the task's own timeout is above it. */
const TIMEOUT_MS = 60_000;

/** Null without a provider: the caller's deterministic writer or rubric answers instead. */
export const modelPort: Need<(() => Promise<Model>) | null> = {
  grants: [
    ...config.grants,
    ...platformSecrets.grants,
    ...circuitsNeed.grants,
    {
      actions: ['bedrock:InvokeModel'],
      on: {
        kind: 'any',
        reason:
          'The model is configuration; foundation models and inference profiles have ARNs of their own per region.',
      },
    },
  ],
  env: { ...config.env, ...platformSecrets.env, ...circuitsNeed.env },
  open(env, context) {
    const { modelProvider, modelBaseUrl, modelName } = config.open(env, context);
    if (modelProvider === 'none') return null;
    if (modelName === '') throw new Error(`MODEL_NAME is not set, but MODEL_PROVIDER is ${modelProvider}.`);
    const circuits = circuitsNeed.open(env, context);
    const guarded = (model: Model): Model => behindCircuit(model, circuits, 'model', SHARED);
    if (modelProvider === 'bedrock') {
      const model = guarded(
        createBedrockModel(awsClientConfig(env, 'BEDROCK_RUNTIME', TIMEOUT_MS), modelName),
      );
      return async () => model;
    }
    if (modelBaseUrl === '') throw new Error('MODEL_BASE_URL is not set, but MODEL_PROVIDER is openai.');
    const secrets = platformSecrets.open(env, context);
    return async () => {
      const { apiKey } = await secrets.read('platform/model', ApiKey);
      const model = createOpenAiModel({
        fetch,
        clock: context.clock,
        baseUrl: modelBaseUrl,
        apiKey,
        model: modelName,
        timeoutMs: TIMEOUT_MS,
      });
      return guarded(model);
    };
  },
};
