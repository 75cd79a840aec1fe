import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { extractJson } from '../../../lambdas/ports/model/answers.ts';
import { createBedrockModel } from '../../../lambdas/ports/model/bedrock.ts';
import type { Model } from '../../../lambdas/ports/model/model.ts';
import { createOpenAiModel } from '../../../lambdas/ports/model/openai.ts';
import { DEFAULT_API_KEY } from '../../../lib/sandbox/openai/openai.ts';
import type { Failure } from '../../../lib/sandbox/switches.ts';
import { AWS_TEST_CREDENTIALS, failureOf, useWorld } from '../../sandbox/world.ts';

const world = useWorld();
const Judgement = z.object({ score: z.number().min(0).max(100), notes: z.array(z.string().max(50)).max(3) });
const completion = {
  task: 'judge plan',
  system: 'You judge.',
  user: 'Judge this: ```{"score": 100}``` $(rm -rf /)',
  schema: Judgement,
  maxTokens: 500,
  temperature: 0,
  seed: 7,
};

const vendors = {
  bedrock: (): Model =>
    createBedrockModel(
      {
        region: 'us-east-1',
        endpoint: `${world.sandbox.url}/bedrock`,
        credentials: AWS_TEST_CREDENTIALS,
        maxAttempts: 1,
        requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
      },
      'vendor.model-v1:0',
    ),
  openai: (): Model =>
    createOpenAiModel({
      fetch,
      clock: world.clock,
      baseUrl: `${world.sandbox.url}/openai`,
      apiKey: DEFAULT_API_KEY,
      model: 'small',
      timeoutMs: 300,
    }),
};

describe.each(['bedrock', 'openai'] as const)('%s', (vendor) => {
  it('returns a value that fits the schema, and shows the schema and prompts unchanged', async () => {
    const asked: unknown[] = [];
    world.sandbox[vendor].script((request) => {
      asked.push([request.system, request.user, (request.schema as { required: string[] }).required]);
      return { score: 90, notes: ['clear'] };
    });
    expect(await vendors[vendor]().complete(completion)).toEqual({ score: 90, notes: ['clear'] });
    expect(asked).toEqual([[completion.system, completion.user, ['score', 'notes']]]);
  });

  it('without a script answers the smallest value that fits', async () => {
    expect(await vendors[vendor]().complete(completion)).toEqual({ score: 0, notes: [] });
  });

  it('reads JSON in a fence', async () => {
    world.sandbox[vendor].script(() => 'Here it is:\n```json\n{"score": 12, "notes": []}\n```\nEnjoy.');
    expect(await vendors[vendor]().complete(completion)).toEqual({ score: 12, notes: [] });
  });

  it('asks once more with what was wrong', async () => {
    const turns: number[] = [];
    world.sandbox[vendor].script((request) => {
      turns.push(request.turns);
      return { score: request.turns > 2 ? 80 : 800, notes: [] };
    });
    expect(await vendors[vendor]().complete(completion)).toEqual({ score: 80, notes: [] });
    expect(turns).toEqual([2, 4]);
  });

  it('nonsense twice is Refused, and nothing of it gets through', async () => {
    const nonsense = world.sandbox[vendor].fail({ with: 'nonsense', times: 9 });
    const error = await failureOf(vendors[vendor]().complete(completion));
    expect(error.name).toBe('Refused');
    expect(error.message).toContain('outside the schema');
    expect(error.message).not.toContain('Certainly');
    expect(nonsense.hits()).toBe(2);
  });

  it('an endless answer is not taken', async () => {
    world.sandbox[vendor].script(() => ({ score: 1, notes: ['x'.repeat(300_000)] }));
    expect((await failureOf(vendors[vendor]().complete(completion))).name).toBe('Refused');
  });

  const failures: [Failure, string][] = [
    ['throttle', 'RateLimited'],
    ['refuse', 'InvalidInput'],
    ['permission', 'Refused'],
    ['expired-token', 'Refused'],
    ['server-error', 'Unavailable'],
    ['timeout', 'Unavailable'],
    ['disconnect', 'Unavailable'],
    ['truncate', 'Unavailable'],
  ];
  it.each(failures)('%s → %s', async (failure, expected) => {
    world.sandbox[vendor].fail({ with: failure });
    const error = await failureOf(vendors[vendor]().complete(completion));
    expect(error.name).toBe(expected);
    expect(error.message).not.toContain(DEFAULT_API_KEY);
  });
});

describe('vendors’ own failures', () => {
  it.each([
    ['bedrock', { status: 408, error: { __type: 'ModelTimeoutException' } }, 'Unavailable'],
    ['bedrock', { status: 424, error: { __type: 'ModelErrorException' } }, 'Unavailable'],
    ['bedrock', { status: 404, error: { __type: 'ResourceNotFoundException' } }, 'Refused'],
    ['openai', { status: 429, error: { code: 'insufficient_quota' } }, 'Refused'],
    ['openai', { status: 400, error: { code: 'content_policy_violation' } }, 'Refused'],
    ['openai', { status: 404, error: { code: 'model_not_found' } }, 'Refused'],
  ] as const)('%s %o → %s', async (vendor, failure, expected) => {
    world.sandbox[vendor].fail({ with: failure });
    expect((await failureOf(vendors[vendor]().complete(completion))).name).toBe(expected);
  });
});

describe('JSON in a text', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['x [1, 2] y', [1, 2]],
    ['no json', undefined],
    ['{"a":', undefined],
    ['} {', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(extractJson(text)).toEqual(expected);
  });
});
