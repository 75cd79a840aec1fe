// How does Rekognition name the objects and read the text in a frame?
import {
  DetectLabelsCommand,
  DetectTextCommand,
  RekognitionClient,
  type RekognitionClientConfig,
} from '@aws-sdk/client-rekognition';
import { awsVendorCall } from '../aws-vendor.ts';
import type { Vision } from './vision.ts';

/** Percent; the spec keeps text above 0.5 and the service's own default for labels is 55. */
const MIN_CONFIDENCE = 55;
const MIN_TEXT_CONFIDENCE = 50;
const MOST_LABELS = 25;

const NAMES = {
  invalidInput: [
    'InvalidImageFormatException',
    'ImageTooLargeException',
    'InvalidParameterException',
    'InvalidS3ObjectException',
  ],
};

/** The client decides region, credentials and timeouts. */
export function createRekognitionVision(config: RekognitionClientConfig): Vision {
  const client = new RekognitionClient(config);
  return {
    async look({ bucket, key }) {
      const image = { S3Object: { Bucket: bucket, Name: key } };
      const [labels, text] = await Promise.all([
        awsVendorCall('Rekognition: detect labels', NAMES, () =>
          client.send(
            new DetectLabelsCommand({ Image: image, MinConfidence: MIN_CONFIDENCE, MaxLabels: MOST_LABELS }),
          ),
        ),
        awsVendorCall('Rekognition: detect text', NAMES, () =>
          client.send(new DetectTextCommand({ Image: image })),
        ),
      ]);
      return {
        objects: (labels.Labels ?? []).map((label) => ({
          name: label.Name ?? 'unknown',
          // A label without instances (a mood, a place) is there once.
          count: Math.max(1, label.Instances?.length ?? 0),
          confidence: (label.Confidence ?? 0) / 100,
        })),
        texts: (text.TextDetections ?? [])
          .filter((found) => found.Type === 'LINE' && (found.Confidence ?? 0) > MIN_TEXT_CONFIDENCE)
          .map((found) => found.DetectedText ?? ''),
      };
    },
  };
}
