import { describe, expect, it } from 'vitest';
import {
  audioMix,
  loudnessFilter,
  loudnessFor,
  readLoudness,
} from '../../../lambdas/creative/render/audio-mix.ts';
import { joinAudio } from '../../../lambdas/creative/render/transitions.ts';
import { ffmpeg, samples } from './sample.ts';

const SPEECH =
  "aevalsrc=exprs='0.3*sin(2*PI*t*300)*between(t,1,2)':s=48000:d=3,aformat=channel_layouts=stereo";
const MUSIC = "aevalsrc=exprs='0.3*sin(2*PI*t*2000)':s=48000:d=3,aformat=channel_layouts=stereo";
const base = { voice: null, duration: '3.000000', loudness: { kind: 'none' }, out: 'out' } as const;

/** Level of one frequency: the sample's projection on a sine and cosine of it. */
function levelAt(signal: Float32Array, hz: number, fromSeconds: number, toSeconds: number): number {
  const part = signal.subarray(fromSeconds * 48_000, toSeconds * 48_000);
  let [re, im] = [0, 0];
  part.forEach((value, index) => {
    re += value * Math.cos((2 * Math.PI * hz * index) / 48_000);
    im += value * Math.sin((2 * Math.PI * hz * index) / 48_000);
  });
  return (2 * Math.hypot(re, im)) / part.length;
}

describe('audio mix', () => {
  it('keys the music’s compressor by the speech', () => {
    expect(audioMix({ ...base, source: 's', music: 'm' })).toBe(
      '[s]asplit=2[outa][outkey];[m]volume=-8dB[outml];[outml][outkey]sidechaincompress=threshold=0.02:ratio=9:attack=15:release=400:makeup=1[outdu];' +
        '[outa][outdu]amix=inputs=2:duration=first:normalize=0[outmx];[outmx]afade=t=out:st=2.750:d=0.25,anull,aresample=48000[out]',
    );
    expect(audioMix({ ...base, source: null, music: null })).toContain(
      'anullsrc=r=48000:cl=stereo,atrim=end=3.000000',
    );
  });

  it('lowers the music by half or more while somebody speaks, and lets it come back', async () => {
    const out = await samples(
      [SPEECH, MUSIC],
      `[0:a]anull[s];[1:a]anull[m];${audioMix({ ...base, source: 's', music: 'm' })}`,
    );
    const [before, during, after] = [
      levelAt(out, 2000, 0.4, 0.9),
      levelAt(out, 2000, 1.3, 1.9),
      levelAt(out, 2000, 2.6, 2.74),
    ];
    expect(before).toBeGreaterThan(0.05);
    expect(during).toBeLessThan(before * 0.5);
    expect(after).toBeGreaterThan(during * 1.5);
  });

  it('puts the video’s own sound under a voice-over', async () => {
    const graph = `[0:a]anull[s];[1:a]anull[v];${audioMix({ ...base, source: 's', voice: 'v', music: null })}`;
    const out = await samples([MUSIC, SPEECH], graph);
    expect(levelAt(out, 300, 1.2, 1.8)).toBeCloseTo(0.3, 1);
    expect(levelAt(out, 2000, 1.2, 1.8)).toBeLessThan(0.08);
  });

  it('reaches the target within one LU by plain gain, and by gain and limiter when peaks would clip', async () => {
    const measured = async (graph: string, input: string) => {
      const lines: string[] = [];
      const args = ['-f', 'lavfi', '-i', input, '-filter_complex', graph, '-map', '[out]', '-f', 'null', '-'];
      await ffmpeg.run(args, { onLine: (line) => void lines.push(line) });
      const found = readLoudness(lines).get('m0');
      if (found === undefined) throw new Error('the meter said nothing');
      return found;
    };
    const meter = loudnessFilter({ kind: 'measure', name: 'm0', before: null });
    const cases = [
      {
        input:
          "aevalsrc=exprs='(0.02+0.03*lt(mod(t,2),1))*sin(2*PI*t*400)':s=48000:d=4,aformat=channel_layouts=stereo",
        kind: 'linear',
      },
      {
        input:
          "aevalsrc=exprs='0.2*sin(2*PI*t*400)+0.7*lt(mod(t,0.5),0.0005)':s=48000:d=4,aformat=channel_layouts=stereo",
        kind: 'limited',
      },
    ];
    for (const { input, kind } of cases) {
      const plan = loudnessFor(-14, await measured(`[0:a]${meter}[out]`, input));
      expect(plan.kind).toBe(kind);
      const reached = await measured(`[0:a]${loudnessFilter(plan)},aresample=48000,${meter}[out]`, input);
      expect(Math.abs(reached.integratedLufs + 14)).toBeLessThan(1);
      expect(reached.truePeakDb).toBeLessThan(-1);
    }
  });

  it('asks loudnorm for one gain with all measured figures, and leaves silence alone', () => {
    const plan = loudnessFor(-16, { integratedLufs: -20, thresholdLufs: -30, truePeakDb: -12, rangeLu: 3 });
    expect(loudnessFilter(plan)).toBe(
      'loudnorm=I=-16:TP=-1.5:LRA=50:linear=true:measured_I=-20:measured_TP=-12:measured_LRA=3:measured_thresh=-30',
    );
    expect(
      loudnessFor(-14, {
        integratedLufs: Number.NEGATIVE_INFINITY,
        thresholdLufs: Number.NEGATIVE_INFINITY,
        truePeakDb: Number.NEGATIVE_INFINITY,
        rangeLu: 0,
      }),
    ).toEqual({ kind: 'none' });
  });
});

describe('sound of a transition', () => {
  it('fades one shot into the next where the picture does', async () => {
    const join = { kind: 'fade', duration: '0.400000', offset: '0.600000' } as const;
    const out = await samples(['sine=f=500:d=1', 'sine=f=2000:d=1'], joinAudio('0:a', '1:a', 'out', join));
    expect(out.length).toBe(1.6 * 48_000);
    expect(levelAt(out, 500, 0.1, 0.5)).toBeGreaterThan(0.1);
    expect(levelAt(out, 2000, 0.1, 0.5)).toBeLessThan(0.01);
    const middle = [levelAt(out, 500, 0.75, 0.85), levelAt(out, 2000, 0.75, 0.85)];
    expect(Math.min(...middle)).toBeGreaterThan(0.05);
  });
});
