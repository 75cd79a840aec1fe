// Which objects and texts does a scene show, whoever recognised them?
import * as z from 'zod';
import { InvalidInput } from '../../runtime/errors.ts';
import type { Scene, SceneFeatures } from '../types.ts';

export type SceneObjects = NonNullable<SceneFeatures['objects']>;

/** Below this confidence (0..1) an object or text counts as not seen (spec §4: 0.5). */
export const MIN_CONFIDENCE = 0.5;
const MAX_LABELS = 50;
const MAX_TEXTS = 50;
const MAX_TEXT_CHARACTERS = 300;

const DetectLabelsAnswer = z.object({
  Labels: z
    .array(
      z.object({
        Name: z.string().min(1),
        Confidence: z.number().optional(),
        Instances: z.array(z.object({ Confidence: z.number().optional() })).optional(),
      }),
    )
    .default([]),
});

/**
 * Objects of an answer of Rekognition DetectLabels; confidences become 0..1. An object counts as often as its boxes, once
 * if it has none.
 * @throws InvalidInput when the shape is not Rekognition's.
 */
export function parseDetectLabels(answer: unknown, minConfidence: number = MIN_CONFIDENCE): SceneObjects {
  const parsed = DetectLabelsAnswer.safeParse(answer);
  if (!parsed.success) {
    throw new InvalidInput('The labels do not have the shape of Rekognition DetectLabels.', {
      cause: parsed.error,
    });
  }
  return parsed.data.Labels.filter((label) => (label.Confidence ?? 0) / 100 >= minConfidence)
    .slice(0, MAX_LABELS)
    .map((label) => {
      const boxes = (label.Instances ?? []).filter(
        (box) => (box.Confidence ?? 0) / 100 >= minConfidence,
      ).length;
      return {
        name: label.Name,
        count: Math.max(1, boxes),
        confidence: Math.min(1, (label.Confidence ?? 0) / 100),
      };
    });
}

const DetectTextAnswer = z.object({
  TextDetections: z
    .array(
      z.object({ DetectedText: z.string(), Type: z.string().optional(), Confidence: z.number().optional() }),
    )
    .default([]),
});

/**
 * Lines of an answer of Rekognition DetectText (its words repeat the lines), top to bottom as answered.
 * @throws InvalidInput when the shape is not Rekognition's.
 */
export function parseDetectText(answer: unknown, minConfidence: number = MIN_CONFIDENCE): string[] {
  const parsed = DetectTextAnswer.safeParse(answer);
  if (!parsed.success) {
    throw new InvalidInput('The texts do not have the shape of Rekognition DetectText.', {
      cause: parsed.error,
    });
  }
  return parsed.data.TextDetections.filter(
    (text) =>
      text.Type === 'LINE' &&
      (text.Confidence ?? 0) / 100 >= minConfidence &&
      text.DetectedText.trim() !== '',
  )
    .slice(0, MAX_TEXTS)
    .map((text) => text.DetectedText.trim().slice(0, MAX_TEXT_CHARACTERS));
}

/** A `.labels.json` beside a user's video: what is seen from when to when. */
export const LabelsSidecar = z.object({
  labels: z
    .array(
      z.object({
        startMs: z.number().int().min(0),
        endMs: z.number().int().positive(),
        objects: z
          .array(
            z.union([
              z.string().min(1).max(100),
              z.object({
                name: z.string().min(1).max(100),
                count: z.number().int().positive().default(1),
                confidence: z.number().min(0).max(1).default(1),
              }),
            ]),
          )
          .max(MAX_LABELS)
          .default([]),
        texts: z.array(z.string().min(1).max(MAX_TEXT_CHARACTERS)).max(MAX_TEXTS).default([]),
      }),
    )
    .max(10_000),
});
export type LabelsSidecar = z.infer<typeof LabelsSidecar>;

/** @throws InvalidInput naming the first field that is wrong. */
export function parseLabelsSidecar(text: string): LabelsSidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidInput('The labels file is not JSON.', { cause: error });
  }
  const parsed = LabelsSidecar.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    throw new InvalidInput(
      `The labels file is wrong at ${path || 'the top'}: ${issue?.message ?? 'unreadable'}.`,
      { path },
    );
  }
  return parsed.data;
}

/** What a sidecar says about one scene: every stretch that overlaps it; the same object twice keeps the higher count. */
export function labelsWithin(
  sidecar: LabelsSidecar,
  scene: Scene,
): { objects: SceneObjects; texts: string[] } {
  const objects = new Map<string, SceneObjects[number]>();
  const texts = new Set<string>();
  for (const stretch of sidecar.labels) {
    if (stretch.startMs >= scene.endMs || stretch.endMs <= scene.startMs) continue;
    for (const named of stretch.objects) {
      const object = typeof named === 'string' ? { name: named, count: 1, confidence: 1 } : named;
      const known = objects.get(object.name);
      if (known === undefined || known.count < object.count) objects.set(object.name, { ...object });
    }
    for (const text of stretch.texts) texts.add(text);
  }
  return { objects: [...objects.values()], texts: [...texts] };
}
