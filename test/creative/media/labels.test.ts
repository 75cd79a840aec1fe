// Are objects and texts read from Rekognition and from a file beside the video?
import { describe, expect, it } from 'vitest';
import {
  labelsWithin,
  parseDetectLabels,
  parseDetectText,
  parseLabelsSidecar,
} from '../../../lambdas/creative/media/labels.ts';

const SCENE = { id: 's02', startMs: 2000, endMs: 4000 };

describe('Rekognition', () => {
  it('counts an object by its boxes and leaves out what is unlikely', () => {
    const answer = {
      Labels: [
        {
          Name: 'Person',
          Confidence: 99,
          Instances: [{ Confidence: 98 }, { Confidence: 90 }, { Confidence: 20 }],
        },
        { Name: 'Coffee', Confidence: 80, Instances: [] },
        { Name: 'Ghost', Confidence: 31 },
      ],
    };
    expect(parseDetectLabels(answer)).toEqual([
      { name: 'Person', count: 2, confidence: 0.99 },
      { name: 'Coffee', count: 1, confidence: 0.8 },
    ]);
  });

  it('takes lines, not the words that repeat them', () => {
    const answer = {
      TextDetections: [
        { DetectedText: 'Meet Brewly', Type: 'LINE', Confidence: 99 },
        { DetectedText: 'Meet', Type: 'WORD', Confidence: 99 },
        { DetectedText: 'blur', Type: 'LINE', Confidence: 12 },
      ],
    };
    expect(parseDetectText(answer)).toEqual(['Meet Brewly']);
  });

  it('refuses another shape', () => {
    expect(() => parseDetectLabels({ Labels: 'none' })).toThrow(/Rekognition DetectLabels/);
    expect(() => parseDetectText({ TextDetections: [1] })).toThrow(/Rekognition DetectText/);
  });
});

describe('a labels file', () => {
  const file = JSON.stringify({
    labels: [
      { startMs: 0, endMs: 2500, objects: ['Cup'], texts: ['Hi'] },
      { startMs: 3000, endMs: 9000, objects: [{ name: 'Cup', count: 3 }, 'Bag'], texts: ['Hi', 'Bye'] },
      { startMs: 4000, endMs: 9000, objects: ['Moon'] },
    ],
  });

  it('says what overlaps a scene', () => {
    expect(labelsWithin(parseLabelsSidecar(file), SCENE)).toEqual({
      objects: [
        { name: 'Cup', count: 3, confidence: 1 },
        { name: 'Bag', count: 1, confidence: 1 },
      ],
      texts: ['Hi', 'Bye'],
    });
  });

  it('is refused with the path of what is wrong', () => {
    expect(() => parseLabelsSidecar('{')).toThrow(/not JSON/);
    expect(() => parseLabelsSidecar('{"labels":[{"startMs":-1,"endMs":5}]}')).toThrow(/labels\.0\.startMs/);
  });
});
