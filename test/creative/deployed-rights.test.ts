// Do the entries and steps that few runs pass have, once deployed, the rights that their work takes?
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIRECTOR, ORACLE } from '../../lambdas/creative/model-plan.ts';
import type { World } from '../../lib/laptop/world.ts';
import { DEFAULT_API_KEY } from '../../lib/sandbox/openai/openai.ts';
import { startRig, type Rig } from '../faults/rig.ts';
import { ask } from '../support/api.ts';
import { BRIEF } from '../support/creative-run.ts';
import { MEDIA_BUCKET } from '../support/world.ts';

let rig: Rig;
let world: World;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deployed-'));
  rig = await startRig({ environment: { MODEL_PROVIDER: 'openai', MODEL_NAME: 'sandbox' } });
  ({ world } = rig);
  await world.cloud.call('secretsmanager', 'CreateSecret', {
    Name: 'impresario/platform/model',
    SecretString: JSON.stringify({ apiKey: DEFAULT_API_KEY }),
  });
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await rig.close();
});

const put = (key: string, body: string) =>
  world.cloud.call('s3', 'PutObject', { Bucket: MEDIA_BUCKET, Key: key, Body: Buffer.from(body) });

async function isThere(key: string): Promise<boolean> {
  const { Contents = [] } = await world.cloud.call('s3', 'ListObjectsV2', {
    Bucket: MEDIA_BUCKET,
    Prefix: key,
  });
  return Contents.length > 0;
}

const rowOf = async (tenant: string, runId: unknown) => rig.runs.get(tenant, String(runId));

describe('a folder that is watched', () => {
  const tenant = 'demo';

  async function watch(driveFolders: object[]): Promise<void> {
    const admin = { tenant, role: 'admin' } as const;
    const { body } = await ask(world, 'GET /v1/settings', admin);
    const settings = { ...(body['settings'] as object), driveFolders };
    const saved = await ask(world, 'PUT /v1/settings', {
      ...admin,
      body: { version: body['version'], settings },
    });
    expect(saved.status).toBe(200);
  }

  it('is read by the clock, and a new video starts a run; when it is watched no more, nothing does', async () => {
    const video = join(folder, 'new.mp4');
    writeFileSync(video, 'not much of a video');
    const add = (id: string) =>
      world.sandbox.drive.addFile(id, video, { name: `${id}.mp4`, mimeType: 'video/mp4', folderId: 'inbox' });
    const started = async () =>
      (await rig.runs.list(tenant, { limit: 100 })).runs.filter(
        ({ startedBy }) => startedBy === 'trigger:WatchDrive',
      );
    await watch([{ id: 'inbox', brief: BRIEF }]);
    await world.cloud.advance(300_000);
    await add('first');
    await world.cloud.advance(300_000);
    await world.cloud.until(async () => (await started()).length === 1);
    await watch([]);
    await add('second');
    await world.cloud.advance(600_000);
    expect(await started()).toHaveLength(1);
  });
});

describe('an upload', () => {
  it('that nobody waits for is deleted', async () => {
    const key = 'uploads/demo/run-00000000000000000000nobody';
    await put(key, 'bytes');
    await world.cloud.settle();
    expect(await isThere(key)).toBe(false);
  });

  it('of another size than announced is deleted, and its run has failed', async () => {
    const source = { kind: 'upload', sizeBytes: 12, contentType: 'video/mp4', sha256: `${'a'.repeat(43)}=` };
    const { status, body } = await ask(world, 'POST /v1/creatives', { body: { source, brief: BRIEF } });
    expect(status).toBe(202);
    const key = `uploads/demo/${String(body['runId'])}`;
    await put(key, 'short');
    await world.cloud.settle();
    expect(await isThere(key)).toBe(false);
    expect(await rowOf('demo', body['runId'])).toMatchObject({ status: 'failed' });
  });

  it('that is no video is deleted, with what was made of it', async () => {
    const subject = await rig.subject();
    const { tenant } = subject;
    await rig.start(subject, { source: { kind: 'upload', key: `uploads/${tenant}/text` } });
    await put(`uploads/${tenant}/text`, 'these are words');
    expect((await rig.ended(subject)).error).toBe('InvalidInput');
    expect(await isThere(`uploads/${tenant}/text`)).toBe(false);
  });
});

describe('a run with a language model', () => {
  it('asks it for the plan, the forecasts and the review, with the key that the platform keeps', async () => {
    const asked = new Set<string>();
    world.sandbox.openai.script(({ system }) => void asked.add(system));
    const subject = await rig.subject();
    await rig.start(subject);
    await world.cloud.until(async () => (await rig.remembered(subject)).has('ReviewQuality'));
    expect(asked).toContain(DIRECTOR);
    expect(asked).toContain(ORACLE);
    expect([...asked].filter((system) => system.startsWith('You judge'))).toHaveLength(3);
    await world.cloud.call('states', 'StopExecution', { executionArn: subject.executions.at(-1) });
    await rig.ended(subject);
  });
});
