// Do the bytes arrive once, whole, from wherever they are, and are bad sources refused in plain words?
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/ingest-video.task.ts';
import { openOutbound } from '../../lambdas/runtime/outbound.ts';
import { requestOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const BYTES = Buffer.from('not yet known to be a video '.repeat(4_000));
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const kept = (job: Job) => ({
  sha256: SHA256,
  key: `${job.tenant}/sources/${SHA256}`,
  sizeBytes: BYTES.length,
});

async function upload(job: Job, bytes = BYTES): Promise<string> {
  const key = `uploads/${job.tenant}/video`;
  await rig.media.put(key, bytes);
  return key;
}
const ingest = (job: Job, source: Parameters<typeof requestOf>[1], context = {}) =>
  job.run(task, { request: requestOf(job.tenant, source) }, context);
const fromUpload = (job: Job, key = `uploads/${job.tenant}/video`) =>
  ingest(job, { source: { kind: 'upload', key } });
const fromDrive = (job: Job, fileId = 'drive-file') => ingest(job, { source: { kind: 'drive', fileId } });

/** A request names https; the sandbox and its kind speak plain HTTP on a port of their own. */
function fromUrl(job: Job, base: string, path: string) {
  const { host } = new URL(base);
  const outbound = openOutbound({ allowHosts: [host] });
  const plain = {
    open: (url: string, request = {}) => outbound.open(url.replace('https:', 'http:'), request),
  };
  return ingest(job, { source: { kind: 'url', url: `https://${host}${path}` } }, { outbound: plain });
}
const fromSandbox = (job: Job, name: string) => fromUrl(job, rig.sandbox.url, `/download/${name}`);
const sources = async (job: Job) => (await rig.media.list(`${job.tenant}/sources/`)).map(({ key }) => key);

describe('IngestVideo, an upload', () => {
  it('is kept under its hash, stays until the run has ended, and the start is announced', async () => {
    const job = await rig.job();
    const key = await upload(job);
    expect(await fromUpload(job)).toEqual({ source: kept(job) });
    expect(await rig.media.get(kept(job).key)).toEqual(BYTES);
    expect(await rig.media.head(key)).toBeDefined();
    expect(await rig.said()).toEqual([
      {
        name: 'creative-generation.started',
        detail: { tenant: job.tenant, runId: job.runId, attempt: 1 },
      },
    ]);
  });

  it('arriving again is the same object', async () => {
    const job = await rig.job();
    await upload(job);
    await fromUpload(job);
    const before = await rig.media.head(kept(job).key);
    expect(await fromUpload(job)).toEqual({ source: kept(job) });
    expect(await sources(job)).toEqual([kept(job).key]);
    expect(await rig.media.head(kept(job).key)).toEqual(before);
  });

  it('that is not there, is empty or is another tenant’s is refused, and nothing stays', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await expect(fromUpload(job)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: `There is no upload at uploads/${job.tenant}/video; ask for a new upload address.`,
    });
    const foreign = await upload(other);
    await expect(fromUpload(job, foreign)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The upload belongs to another tenant.',
    });
    await upload(job, Buffer.alloc(0));
    await expect(fromUpload(job)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The file is empty.',
    });
    expect(await sources(job)).toEqual([]);
  });
});

describe('IngestVideo, an address on the web', () => {
  it('is fetched, and goes on where a transfer broke off', async () => {
    const job = await rig.job();
    await rig.sandbox.download.addFile('clip.mp4', await rig.file('clip.mp4', BYTES));
    const cut = rig.sandbox.download.fail({ match: { method: 'GET' }, with: 'truncate' });
    expect(await fromSandbox(job, 'clip.mp4')).toEqual({ source: kept(job) });
    expect(cut.hits()).toBe(1);
    expect(await rig.media.get(kept(job).key)).toEqual(BYTES);
  });

  it('starts anew at a server that knows no ranges', async () => {
    const job = await rig.job();
    await rig.sandbox.download.addFile('clip.mp4', await rig.file('clip.mp4', BYTES));
    rig.sandbox.download.ignoreRanges('clip.mp4');
    rig.sandbox.download.fail({ match: { method: 'GET' }, with: 'truncate' });
    expect(await fromSandbox(job, 'clip.mp4')).toEqual({ source: kept(job) });
  });

  it.each([
    ['refuse', 'Refused', /answered 404: the video cannot be fetched from there\.$/],
    ['throttle', 'RateLimited', /asks us to come back later \(429\)\.$/],
    ['server-error', 'Unavailable', /answered 503\.$/],
  ] as const)('%s → %s', async (failure, name, message) => {
    const job = await rig.job();
    await rig.sandbox.download.addFile('clip.mp4', await rig.file('clip.mp4', BYTES));
    rig.sandbox.download.fail({ with: failure, times: 20 });
    await expect(fromSandbox(job, 'clip.mp4')).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message) as string,
    });
    expect(await sources(job)).toEqual([]);
  });

  it('in a private network is refused', async () => {
    const job = await rig.job();
    await expect(
      ingest(job, { source: { kind: 'url', url: 'https://10.0.0.1/clip.mp4' } }),
    ).rejects.toMatchObject({ name: 'InvalidInput', message: 'The URL points into a private network.' });
  });

  it('that announces more than we take is refused before a byte is read', async () => {
    const job = await rig.job();
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.method);
      response.writeHead(200, { 'content-length': 3 * 1024 ** 3 });
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await expect(fromUrl(job, base, '/huge.mp4')).rejects.toMatchObject({
        name: 'InvalidInput',
        message: 'The file is larger than 2 GiB, the most we take.',
      });
    } finally {
      server.close();
    }
    expect(asked).toEqual(['HEAD']);
  });
});

describe('IngestVideo, a Drive file', () => {
  it('is fetched with the tenant’s own connection', async () => {
    const job = await rig.job();
    await rig.sandbox.drive.addFile('drive-file', await rig.file('drive.mp4', BYTES), { name: 'drive.mp4' });
    expect(await fromDrive(job)).toEqual({ source: kept(job) });
    expect(await sources(job)).toEqual([kept(job).key]);
  });

  it('that arrives damaged is not kept', async () => {
    const job = await rig.job();
    await rig.sandbox.drive.addFile('drive-file', await rig.file('drive.mp4', BYTES), {
      name: 'drive.mp4',
      claimedSha256: '0'.repeat(64),
    });
    await expect(fromDrive(job)).rejects.toMatchObject({
      name: 'Unavailable',
      message: '“drive.mp4” arrived with another checksum than Drive says; it will be fetched again.',
    });
    expect(await sources(job)).toEqual([]);
  });

  it('needs a connection, and not another tenant’s', async () => {
    const none = await rig.job({ settings: { connections: {} } });
    await expect(fromDrive(none)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'No Drive is connected: set connections.drive in the settings.',
    });
    const other = await rig.job();
    const thief = await rig.job({ settings: { connections: { drive: `tenants/${other.tenant}/drive` } } });
    await expect(fromDrive(thief)).rejects.toMatchObject({
      name: 'Refused',
      message: `The secret tenants/${other.tenant}/drive does not belong to ${thief.tenant}.`,
    });
  });

  it('that is not shared with us is refused', async () => {
    await expect(fromDrive(await rig.job(), 'unknown-file')).rejects.toMatchObject({ name: 'Refused' });
  });
});
