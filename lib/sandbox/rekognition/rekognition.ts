// How does Rekognition answer on a laptop about frames whose truth is known?
import { awsFailure, awsOperation, AwsServiceError } from '../aws-wire.ts';
import type { FrameTruth, TruthRegistry } from '../truth.ts';
import type { Vendor } from '../vendor.ts';

export type Rekognition = Vendor;

const MODEL_VERSION = '3.0';

export function createRekognition(truth: TruthRegistry): Rekognition {
  return {
    name: 'rekognition',
    handle: ({ path, body }) =>
      awsOperation(
        {
          DetectLabels: (input) => detectLabels(frameOf(truth, input), input),
          DetectText: (input) => detectText(frameOf(truth, input)),
        },
        path,
        body,
      ),
    failure: (kind) =>
      awsFailure(kind, {
        throttle: 'ProvisionedThroughputExceededException',
        refuse: 'InvalidImageFormatException',
      }),
    reset() {
      // Keeps no state of its own.
    },
  };
}

/** A frame that nobody registered has nothing in it, as a plain wall has not. */
function frameOf(truth: TruthRegistry, input: Record<string, unknown>): FrameTruth {
  const image = input['Image'] as
    | { S3Object?: { Bucket?: string; Name?: string }; Bytes?: string }
    | undefined;
  if (image?.S3Object === undefined && image?.Bytes === undefined) {
    throw new AwsServiceError(
      'InvalidParameterException',
      'Request has invalid parameters: Image must have Bytes or S3Object.',
    );
  }
  if (
    image.S3Object !== undefined &&
    (image.S3Object.Bucket === undefined || image.S3Object.Name === undefined)
  ) {
    throw new AwsServiceError(
      'InvalidS3ObjectException',
      'Unable to get object metadata from S3. Check object key, region and/or access permissions.',
    );
  }
  return truth.frame(image.S3Object?.Name ?? '') ?? { objects: [], texts: [] };
}

function detectLabels(frame: FrameTruth, input: Record<string, unknown>): object {
  const least = Number(input['MinConfidence'] ?? 55);
  const most = Number(input['MaxLabels'] ?? 1000);
  const labels = frame.objects.map(({ name, count, confidence: known }, index) => ({
    Name: name,
    Confidence: percent(known, index),
    Instances: Array.from({ length: count }, (_, instance) => ({
      BoundingBox: { Width: 0.2, Height: 0.3, Left: 0.1 * (instance + 1), Top: 0.2 },
      Confidence: percent(known, index),
    })),
    Parents: [],
    Aliases: [],
    Categories: [],
  }));
  return {
    Labels: labels.filter((label) => label.Confidence >= least).slice(0, most),
    LabelModelVersion: MODEL_VERSION,
  };
}

function detectText(frame: FrameTruth): object {
  let id = 0;
  const detections = frame.texts.flatMap((line) => {
    const lineId = id;
    id += 1;
    const geometry = { BoundingBox: { Width: 0.5, Height: 0.1, Left: 0.2, Top: 0.4 }, Polygon: [] };
    const words = line
      .split(/\s+/)
      .filter((word) => word !== '')
      .map((word) => {
        const wordId = id;
        id += 1;
        return {
          DetectedText: word,
          Type: 'WORD',
          Id: wordId,
          ParentId: lineId,
          Confidence: 98.5,
          Geometry: geometry,
        };
      });
    return [{ DetectedText: line, Type: 'LINE', Id: lineId, Confidence: 99.1, Geometry: geometry }, ...words];
  });
  return { TextDetections: detections, TextModelVersion: MODEL_VERSION };
}

function percent(confidence: number | undefined, index: number): number {
  return confidence === undefined ? Math.max(60, 99 - 4 * index) : 100 * confidence;
}
