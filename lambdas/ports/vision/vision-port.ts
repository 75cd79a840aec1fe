// How does a task get eyes, if the stage has any?
import * as z from 'zod';
import { awsClientConfig } from '../../runtime/aws-client.ts';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import type { Need } from '../../runtime/need.ts';
import { behindCircuit, SHARED } from '../behind-circuit.ts';
import { createRekognitionVision } from './rekognition.ts';
import type { Vision } from './vision.ts';

const config = configNeed({
  visionProvider: { env: 'VISION_PROVIDER', schema: z.enum(['none', 'rekognition']) },
});

/** Null without a provider: the features are then missing, not empty. */
export const visionPort: Need<Vision | null> = {
  grants: [
    ...config.grants,
    ...circuitsNeed.grants,
    {
      actions: ['rekognition:DetectLabels', 'rekognition:DetectText'],
      on: { kind: 'any', reason: 'Rekognition image analysis has no resources.' },
    },
    // The service reads the frame with the caller's permission.
    { actions: ['s3:GetObject'], on: { kind: 'bucket', prefix: 'frames/' } },
  ],
  env: { ...config.env, ...circuitsNeed.env },
  open(env, context) {
    const { visionProvider } = config.open(env, context);
    if (visionProvider === 'none') return null;
    const vision = createRekognitionVision(awsClientConfig(env, 'REKOGNITION'));
    return behindCircuit(vision, circuitsNeed.open(env, context), 'vision', SHARED);
  },
};
