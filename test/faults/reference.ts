// What does one finished run leave in the bucket, so that later runs render and analyse nothing?
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import type { VideoTruth } from '../../lib/sandbox/truth.ts';
import type { World } from '../../lib/laptop/world.ts';
import { newTenant } from './tenants.ts';
import { MEDIA_BUCKET, testFfmpeg, testWorld } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CACHE = join(ROOT, '.impresario', 'fixtures');
/** What decides the analysis, the plan and so the keys. Where one is missing here, runs render for themselves: slow, not wrong. */
const SOURCES = [
  'lambdas/creative/media',
  'lambdas/creative/render',
  ...[
    'director',
    'judging',
    'render-input',
    'rendering',
    'rewrite',
    'rubric',
    'shots',
    'types',
    'variation-id',
    'wording',
  ].map((name) => `lambdas/creative/${name}.ts`),
  'test/faults/reference.ts',
];

const RENDER_BYTES = 4_096;
const SCENE_MS = 1_500;
const SCENES = [
  'testsrc2=s=96x96:r=24:d=1.5',
  'smptehdbars=s=96x96:r=24:d=1.5',
  'mandelbrot=s=96x96:r=24,trim=duration=1.5',
  'life=s=96x96:r=24:mold=10:seed=7:life_color=#3080ff,trim=duration=1.5',
];

/** Everything below a tenant, with the tenant's own name left out of keys and bodies. */
export interface Reference {
  video: Buffer;
  sha256: string;
  truth: VideoTruth;
  /** Key below the tenant → body. */
  objects: ReadonlyMap<string, Buffer>;
}

/** Tenant of the reference run: JSON bodies name it, and are rewritten for whoever gets them. */
const MAKER = 'reference-tenant';

/** Four scenes of 1.5 s at 96 pixels with a tone: the cheapest video that makes five different variations. */
async function makeVideo(path: string): Promise<void> {
  const { path: ffmpeg } = await testFfmpeg();
  const labels = SCENES.map((_, index) => `[v${index}]`).join('');
  const graph = [
    ...SCENES.map((scene, index) => `${scene},setsar=1,format=yuv420p[v${index}]`),
    `${labels}concat=n=${SCENES.length}[v]`,
    'sine=f=330:r=48000:d=6,volume=0.4[a]',
  ].join(';');
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-b:a', '48k'];
  const args = ['-v', 'error', '-y', '-filter_complex', graph, '-map', '[v]', '-map', '[a]', ...encode];
  await runFfmpeg(ffmpeg, [...args, '-bitexact', path]);
}

function truthOf(): VideoTruth {
  const seen = ['Lamp', 'Desk', 'Person', 'Book'];
  return {
    scenes: seen.map((name, index) => ({
      startMs: index * SCENE_MS,
      endMs: (index + 1) * SCENE_MS,
      objects: [{ name, count: 1, confidence: 0.95 }],
      texts: index === 0 ? ['Lumen'] : [],
      words: [
        { text: 'Light', startMs: index * SCENE_MS + 200, endMs: index * SCENE_MS + 600 },
        { text: 'helps.', startMs: index * SCENE_MS + 700, endMs: index * SCENE_MS + 1_200 },
      ],
    })),
  };
}

/** The objects of one whole run of today's sources, made once and kept below `.impresario/fixtures`. */
export async function reference(
  run: (world: World, tenant: string, video: Buffer) => Promise<void>,
): Promise<Reference> {
  const finished = join(CACHE, `reference-${fingerprint()}`);
  if (!existsSync(finished)) await make(finished, run);
  const files = readdirSync(finished, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(finished, file)).isFile(),
  );
  const video = readFileSync(join(finished, 'video.mp4'));
  return {
    video,
    sha256: createHash('sha256').update(video).digest('hex'),
    truth: truthOf(),
    objects: new Map(
      files
        .filter((file) => file.startsWith('objects/'))
        .map((file) => [file.slice('objects/'.length), shortened(file, readFileSync(join(finished, file)))]),
    ),
  };
}

/** Nobody plays the renders of these tests: their first bytes are enough to be uploaded by every run. */
function shortened(file: string, body: Buffer): Buffer {
  if (file.endsWith('.mp4')) return body.subarray(0, RENDER_BYTES);
  if (!/\/renders\/.*\.json$/.test(file)) return body;
  return Buffer.from(body.toString('utf8').replaceAll(/"sizeBytes":\d+/g, `"sizeBytes":${RENDER_BYTES}`));
}

/** Puts the reference run's objects below the tenant, as if that run had been the tenant's own. */
export async function preload(world: World, tenant: string, known: Reference): Promise<void> {
  for (const [key, body] of known.objects) {
    const mine = key.endsWith('.json') ? Buffer.from(body.toString('utf8').replaceAll(MAKER, tenant)) : body;
    await world.cloud.call('s3', 'PutObject', { Bucket: MEDIA_BUCKET, Key: `${tenant}/${key}`, Body: mine });
  }
}

/** The tenant's keys without its name: `sources/…`, `uploads/…`. */
export async function keysOf(world: World, tenant: string): Promise<string[]> {
  const keys: string[] = [];
  for (const folder of [`${tenant}/`, `uploads/${tenant}/`]) {
    let token: string | undefined;
    do {
      const page = await world.cloud.call('s3', 'ListObjectsV2', {
        Bucket: MEDIA_BUCKET,
        Prefix: folder,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      keys.push(...(page.Contents ?? []).map(({ Key }: { Key: string }) => Key.replace(`${tenant}/`, '')));
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }
  return keys;
}

async function make(
  finished: string,
  run: (world: World, tenant: string, video: Buffer) => Promise<void>,
): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(join(CACHE, 'making-'));
  const path = join(making, 'video.mp4');
  await makeVideo(path);
  const video = readFileSync(path);
  const world = await testWorld();
  try {
    world.sandbox.truth.addVideo(createHash('sha256').update(video).digest('hex'), truthOf());
    await newTenant(world, MAKER, 0);
    await run(world, MAKER, video);
    for (const key of await keysOf(world, MAKER)) {
      if (!/^(sources|frames|analysis|renders)\//.test(key) || key.includes('/report-')) continue;
      const file = join(making, 'objects', key);
      mkdirSync(join(file, '..'), { recursive: true });
      const { Body } = await world.cloud.call('s3', 'GetObject', {
        Bucket: MEDIA_BUCKET,
        Key: `${MAKER}/${key}`,
      });
      writeFileSync(file, Body);
    }
  } finally {
    await world.close();
  }
  try {
    renameSync(making, finished);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(finished)) throw error;
    rmSync(making, { recursive: true, force: true });
  }
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    hash.update(`${path}\n`).update(readFileSync(join(ROOT, path)));
  };
  for (const source of SOURCES) {
    if (!statSync(join(ROOT, source)).isDirectory()) add(source);
    else
      for (const file of readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' }).toSorted())
        if (file.endsWith('.ts')) add(join(source, file));
  }
  return hash.digest('hex').slice(0, 16);
}
