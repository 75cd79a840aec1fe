// How is the sample video of the demo made, and what is really in it?
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fontPath } from '../../../lambdas/creative/media/fonts.ts';
import { runFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import type { SampleScene, SampleShape } from './sample-script.ts';
import { SAMPLE_SCRIPT } from './sample-script.ts';
import type { SampleTruth, SceneTruth } from './truth.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAME_RATE = 24;

/** What recognition would answer for the sample, in scene order. Times are exact; words are spread over their scene. */
export function sampleTruth(): SampleTruth {
  let startMs = 0;
  const scenes: SceneTruth[] = SAMPLE_SCRIPT.map((scene) => {
    const from = startMs;
    const endMs = from + scene.seconds * 1000;
    startMs = endMs;
    const spoken = scene.speech.split(' ');
    const step = (endMs - from - 600) / spoken.length;
    return {
      startMs: from,
      endMs,
      objects: scene.objects.map((object, at) => ({ ...object, confidence: 0.97 - 0.03 * at })),
      texts: [...scene.captions, ...(scene.button === undefined ? [] : [scene.button])],
      words: spoken.map((text, at) => ({
        text,
        startMs: Math.round(from + 300 + at * step),
        endMs: Math.round(from + 300 + (at + 0.85) * step),
      })),
    };
  });
  return { scenes };
}

/** Alpha of a shape at (X, Y), 0..255. */
const ALPHA: Readonly<Record<SampleShape['kind'], string>> = {
  disc: '255*lte(hypot((X-W/2)/(W/2),(Y-H/2)/(H/2)),1)',
  ring: '255*between(hypot((X-W/2)/(W/2),(Y-H/2)/(H/2)),0.72,1)',
  card: '255*lte(hypot(max(0,abs(X-W/2)-W/2+min(W,H)/6),max(0,abs(Y-H/2)-H/2+min(W,H)/6)),min(W,H)/6)',
};

function sceneGraph(scene: SampleScene, at: number): string {
  const { from, to, speed } = scene.background;
  const frames = Math.round(scene.seconds * FRAME_RATE);
  const parts = [
    `gradients=s=${WIDTH / 2}x${HEIGHT / 2}:r=${FRAME_RATE}:c0=${from}:c1=${to}:n=2:seed=${at + 1}:speed=${speed},` +
      `scale=${WIDTH}:${HEIGHT}:flags=bilinear,format=yuv420p,setsar=1[b${at}_0]`,
  ];
  for (const [i, shape] of scene.shapes.entries()) {
    // One picture is drawn and then repeated: drawing it for every frame would take most of the time.
    parts.push(
      `color=c=${shape.colour}:s=${shape.width}x${shape.height}:r=${FRAME_RATE}:d=${1 / FRAME_RATE},format=rgba,` +
        `geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='${ALPHA[shape.kind]}',format=yuva420p,loop=loop=-1:size=1,setpts=N/${FRAME_RATE}/TB[s${at}_${i}]`,
      `[b${at}_${i}][s${at}_${i}]overlay=x='${shape.x}':y='${shape.y}':shortest=1[b${at}_${i + 1}]`,
    );
  }
  const captions = scene.captions.map((text, line) => {
    const late = 0.25 + 0.35 * line;
    return (
      `drawtext=fontfile=${fontPath('black')}:text='${text}':fontsize=96:fontcolor=${scene.captionColour}:x='90-max(0,${late + 0.3}-t)*260':` +
      `y=${170 + 120 * line}:alpha='min(1,max(0,(t-${late})*3))'`
    );
  });
  if (scene.button !== undefined) {
    captions.push(
      `drawtext=fontfile=${fontPath('bold')}:text='${scene.button}':fontsize=44:fontcolor=white:x=${90 + 430 / 2}-tw/2:y='h-152+6*sin(t*6)'`,
    );
  }
  parts.push(
    `[b${at}_${scene.shapes.length}]${captions.join(',')},format=yuv420p,trim=end_frame=${frames},setpts=PTS-STARTPTS,fps=${FRAME_RATE}[v${at}]`,
  );
  parts.push(
    `aevalsrc=exprs='${scene.sound}':s=48000:d=${scene.seconds},afade=out:st=${scene.seconds - 0.1}:d=0.1,aformat=channel_layouts=stereo[a${at}]`,
  );
  return parts.join(';');
}

/**
 * Renders the sample (30 s, 1280 × 720, seven scenes, stereo) and returns its truth with the file's hash.
 * @param options.onProgress 0..1, for a progress bar.
 */
export async function makeSampleVideo(options: {
  path: string;
  ffmpegPath: string;
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}): Promise<SampleTruth & { sha256: string; durationMs: number }> {
  const truth = sampleTruth();
  const durationMs = truth.scenes.at(-1)?.endMs ?? 0;
  const streams = SAMPLE_SCRIPT.map((_, at) => `[v${at}][a${at}]`).join('');
  const graph = [
    ...SAMPLE_SCRIPT.map(sceneGraph),
    `${streams}concat=n=${SAMPLE_SCRIPT.length}:v=1:a=1[v][a]`,
  ];
  const tell = options.onProgress;
  await runFfmpeg(
    options.ffmpegPath,
    [
      '-v',
      'error',
      '-y',
      '-filter_complex',
      graph.join(';'),
      '-map',
      '[v]',
      '-map',
      '[a]',
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-crf',
      '21',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      '-b:a',
      '128k',
      '-movflags',
      '+faststart',
      options.path,
    ],
    {
      timeoutMs: 180_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(tell === undefined
        ? {}
        : { onProgress: ({ outTimeMs, done }) => tell(done ? 1 : Math.min(1, outTimeMs / durationMs)) }),
    },
  );
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(options.path)) hash.update(chunk as Buffer);
  return { ...truth, sha256: hash.digest('hex'), durationMs };
}
