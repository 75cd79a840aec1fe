import { describe, expect, it } from 'vitest';
import { createRekognitionVision } from '../../../lambdas/ports/vision/rekognition.ts';
import type { Vision } from '../../../lambdas/ports/vision/vision.ts';
import type { Failure } from '../../../lib/sandbox/switches.ts';
import { AWS_TEST_CREDENTIALS, failureOf, useWorld } from '../../sandbox/world.ts';

const world = useWorld();
const SHA = 'a'.repeat(64);
const frame = (scene: string): { bucket: string; key: string } => ({
  bucket: 'media',
  key: `acme/frames/${SHA}/${scene}.jpg`,
});

function vision(): Vision {
  return createRekognitionVision({
    region: 'us-east-1',
    endpoint: `${world.sandbox.url}/rekognition`,
    credentials: AWS_TEST_CREDENTIALS,
    maxAttempts: 1,
    requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
  });
}

describe('looking at a frame', () => {
  it('gives objects with counts and lines of text', async () => {
    world.sandbox.truth.addVideo(SHA, {
      scenes: [
        { startMs: 0, endMs: 5_000 },
        {
          startMs: 5_000,
          endMs: 9_000,
          objects: [
            { name: 'Shoe', count: 2, confidence: 0.9 },
            { name: 'Dust', count: 1, confidence: 0.2 },
          ],
          texts: ['BIG SALE'],
        },
      ],
    });
    const seen = await vision().look(frame('s02'));
    expect(seen.texts).toEqual(['BIG SALE']);
    // What the service is less sure of than asked does not come back.
    expect(seen.objects).toEqual([{ name: 'Shoe', count: 2, confidence: expect.closeTo(0.9) }]);
    expect(await vision().look(frame('s01'))).toEqual({ objects: [], texts: [] });
    expect(await vision().look(frame('s99'))).toEqual({ objects: [], texts: [] });
  });

  const aws = (type: string, status = 400): Failure => ({ status, error: { __type: type } });
  const cases: [string, Failure, string][] = [
    ['throughput', 'throttle', 'RateLimited'],
    ['throttling', aws('ThrottlingException'), 'RateLimited'],
    ['not an image', 'refuse', 'InvalidInput'],
    ['too large', aws('ImageTooLargeException'), 'InvalidInput'],
    ['no such frame', aws('InvalidS3ObjectException'), 'InvalidInput'],
    ['no access', 'permission', 'Refused'],
    ['expired credentials', 'expired-token', 'Refused'],
    ['server error', 'server-error', 'Unavailable'],
    ['no answer', 'timeout', 'Unavailable'],
    ['dropped connection', 'disconnect', 'Unavailable'],
  ];
  it.each(cases)('%s', async (_, failure, expected) => {
    world.sandbox.rekognition.fail({ match: { path: /DetectLabels/ }, with: failure });
    const error = await failureOf(vision().look(frame('s01')));
    expect(error.name).toBe(expected);
    expect(error.cause).toBeInstanceOf(Error);
  });
});
