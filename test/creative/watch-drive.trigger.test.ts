// Does every new video in a watched folder become exactly one run, whatever happens in between?
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { trigger } from '../../lambdas/creative/watch-drive.trigger.ts';
import { BRIEF } from '../support/creative-run.ts';
import { useEntryRig } from '../support/entry-rig.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';

const rig = useEntryRig();
let folder = '';
let folders = 0;
/** Drive folder of the test at hand. */
let watched = '';
let video = '';
let output: OutputLines;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drive-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  folders += 1;
  watched = `folder-${folders}`;
  video = join(folder, `${folders}.mp4`);
  writeFileSync(video, `video ${folders}`);
  output = captureOutput();
});
afterEach(() => output.stop());

const watching = () => rig.tenant({ driveFolders: [{ id: watched, brief: BRIEF }] });
const sweep = (log?: unknown) =>
  trigger.run({ scheduledTime: '2026-03-01T00:00:00Z' }, {
    ...rig.open(trigger.needs),
    ...(log === undefined ? {} : { log }),
  } as never);
const runsOf = async (tenant: string) => (await rig.runs.list(tenant, { limit: 100 })).runs;
const token = (tenant: string) => rig.creatives.driveToken(tenant);
const sweeps = () =>
  output
    .metrics()
    .filter(({ name }) => name === 'sweep_runs_total')
    .map(({ dimensions }) => dimensions['status']);
const add = (id: string, name = 'clip.mp4', mimeType = 'video/mp4', folderId = watched) =>
  rig.sandbox.drive.addFile(id, video, { name, mimeType, folderId });

describe('a watched folder', () => {
  it('starts one run per new video, and none for what was there before, lies elsewhere or is no video', async () => {
    await add('old-file');
    const tenant = await watching();
    await sweep();
    expect(await runsOf(tenant)).toEqual([]);

    await add('new-file');
    await add('a-picture', 'x.png', 'image/png');
    await add('elsewhere', 'y.mp4', 'video/mp4', 'other-folder');
    await sweep();
    const [run, ...more] = await runsOf(tenant);
    expect(more).toEqual([]);
    expect(run).toMatchObject({ status: 'running', startedBy: 'trigger:WatchDrive' });
    expect(await rig.runs.request(tenant, run?.runId ?? '')).toMatchObject({
      purpose: 'publish',
      source: { kind: 'drive', fileId: 'new-file' },
      brief: { product: BRIEF.product },
    });
    expect(await rig.executions()).toContain(run?.runId);

    // A rename is a change of the same bytes.
    rig.sandbox.drive.touch('new-file');
    await sweep();
    expect(await runsOf(tenant)).toHaveLength(1);
  });

  it('keeps its place while a start fails, and starts what is missing the next time', async () => {
    const tenant = await watching();
    await sweep();
    const before = await token(tenant);
    await add('first-file');
    await add('second-file', 'second.mp4', 'video/quicktime');
    const broken = rig.plane.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await sweep();
    expect(broken.hits).toBeGreaterThan(0);
    expect(await token(tenant)).toBe(before);
    expect(sweeps()).toEqual(['succeeded', 'failed']);
    broken.remove();

    await sweep();
    expect(await token(tenant)).not.toBe(before);
    const names = (await runsOf(tenant)).map(({ runId }) => runId);
    expect(names).toHaveLength(2);
    expect((await rig.executions()).filter((name) => names.includes(name))).toHaveLength(2);
  });

  it('starts again from now when the vendor forgot the place, and says so', async () => {
    const tenant = await watching();
    await sweep();
    await add('unseen-file');
    rig.sandbox.drive.expirePageTokens();
    const warned: unknown[] = [];
    const warn = (message: string, fields: object): void => void warned.push({ message, ...fields });
    await sweep({ info: () => {}, error: () => {}, warn });
    const message = 'the page token was too old; changes before now are not seen';
    expect(warned).toContainEqual({ message, tenant });
    expect(await runsOf(tenant)).toEqual([]);

    await add('later-file');
    await sweep();
    expect(await runsOf(tenant)).toHaveLength(1);
  });

  it('obeys the limits of the tenant without losing a file', async () => {
    const tenant = await rig.tenant({
      driveFolders: [{ id: watched, brief: BRIEF }],
      limits: { openRuns: 1 },
    });
    await sweep();
    await add('one-file');
    writeFileSync(video, 'another video');
    await add('two-file');
    await sweep();
    const [first, ...more] = await runsOf(tenant);
    expect(more).toEqual([]);
    await rig.runs.close(tenant, first?.runId ?? '', { status: 'failed', nowMs: rig.plane.clock.now() });
    await sweep();
    expect(await runsOf(tenant)).toHaveLength(2);
  });

  it("is not kept waiting by another tenant's trouble", async () => {
    const troubled = await rig.tenant({ driveFolders: [{ id: watched, brief: { product: '' } }] });
    const tenant = await watching();
    await sweep();
    expect(sweeps()).toEqual(['succeeded']);
    expect(await token(troubled)).toBeUndefined();
    expect(await token(tenant)).toBeDefined();
    await add('good-file');
    await sweep();
    expect(await runsOf(tenant)).toHaveLength(1);
    expect(await runsOf(troubled)).toEqual([]);
  });

  it('fails as a whole when no tenant could be served, so that its next try comes at once', async () => {
    await watching();
    const down = rig.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'GetItem',
      resource: 'test-settings',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(sweep()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(sweeps()).toEqual(['failed']);
    down.remove();
    await sweep();
    expect(sweeps()).toEqual(['failed', 'succeeded']);
  });
});
