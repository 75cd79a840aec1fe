// Are words and their times read from subtitles and transcriptions?
import { describe, expect, it } from 'vitest';
import {
  assignWords,
  parseTranscribeResult,
  parseWebVtt,
} from '../../../lambdas/creative/media/transcript.ts';

const SCENES = [
  { id: 's01', startMs: 0, endMs: 2000 },
  { id: 's02', startMs: 2000, endMs: 4000 },
];

describe('parseWebVtt', () => {
  it('spreads words over their cue, without tags, notes or settings', () => {
    const words = parseWebVtt(
      [
        'WEBVTT - a title',
        '',
        'NOTE not said',
        '',
        '1',
        '00:01.000 --> 00:02.000 align:start',
        '<v Ann>Fish &amp; <i>chips</i></v>',
      ].join('\r\n'),
    );
    expect(words.map((word) => word.text)).toEqual(['Fish', '&', 'chips']);
    expect(words[0]?.startMs).toBe(1000);
    expect(words.at(-1)?.endMs).toBe(2000);
    expect(words.every((word, i) => i === 0 || word.startMs >= (words[i - 1]?.endMs ?? 0))).toBe(true);
  });

  it('uses times inside a cue', () => {
    const words = parseWebVtt('WEBVTT\n\n01:00:00.000 --> 01:00:04.000\none <01:00:03.000>two');
    expect(words.map((word) => [word.text, word.startMs])).toEqual([
      ['one', 3_600_000],
      ['two', 3_603_000],
    ]);
  });

  it.each([
    ['1\n00:00:01,000 --> 00:00:02,000\nsrt', /does not begin with WEBVTT/],
    ['WEBVTT\n\n00:01 --> 00:02\nx', /Line 3 .* cannot be read/],
    ['WEBVTT\n\n00:05.000 --> 00:02.000\nx', /ends before it begins/],
  ])('refuses %j', (text, sentence) => {
    expect(() => parseWebVtt(text)).toThrow(sentence);
  });
});

describe('parseTranscribeResult', () => {
  it('reads words with times and joins punctuation', () => {
    const words = parseTranscribeResult({
      jobName: 'j',
      results: {
        transcripts: [{ transcript: 'Meet Brewly.' }],
        items: [
          {
            type: 'pronunciation',
            start_time: '0.5',
            end_time: '0.9',
            alternatives: [{ content: 'Meet', confidence: '0.98' }],
          },
          {
            type: 'pronunciation',
            start_time: '1.0',
            end_time: '1.45',
            alternatives: [{ content: 'Brewly', confidence: '0.7' }],
          },
          { type: 'punctuation', alternatives: [{ content: '.', confidence: '0.0' }] },
        ],
      },
    });
    expect(words).toEqual([
      { text: 'Meet', startMs: 500, endMs: 900, confidence: 0.98 },
      { text: 'Brewly.', startMs: 1000, endMs: 1450, confidence: 0.7 },
    ]);
  });

  it('refuses another shape', () => {
    expect(() => parseTranscribeResult({ results: {} })).toThrow(/shape of Amazon Transcribe/);
    const untimed = { type: 'pronunciation', alternatives: [{ content: 'x' }] };
    expect(() => parseTranscribeResult({ results: { items: [untimed] } })).toThrow(/no time/);
  });
});

describe('assignWords', () => {
  it('puts each word into the one scene that holds its middle, also beyond the end', () => {
    const word = (text: string, startMs: number, endMs: number) => ({ text, startMs, endMs, confidence: 1 });
    const byScene = assignWords([word('a', 0, 500), word('b', 1800, 2400), word('c', 4100, 4300)], SCENES);
    expect(byScene.get('s01')?.map((one) => one.text)).toEqual(['a']);
    expect(byScene.get('s02')?.map((one) => one.text)).toEqual(['b', 'c']);
  });

  it('knows scenes in which nothing is said', () => {
    expect([...assignWords([], SCENES)]).toEqual([
      ['s01', []],
      ['s02', []],
    ]);
  });
});
