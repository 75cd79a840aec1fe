// Where do the bytes come from, and which video are they?
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { announceStartNeed } from '../runtime/announce-start.ts';
import { bucketNeed, type Bucket } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { outboundNeed } from '../runtime/outbound.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { drivePort } from '../ports/drive/drive-port.ts';
import { fetchDriveFile, fetchUrl, MAX_SOURCE_BYTES, type Fetched } from './fetch-source.ts';
import { Ingested } from './ingested.ts';
import { ownUpload } from './own-upload.ts';
import { CreativeRequest } from './request.ts';
import { withWorkspace } from './workspace.ts';

export const { handler, task } = defineTask({
  name: 'IngestVideo',
  input: z.object({ request: CreativeRequest }),
  output: z.object({ source: Ingested }),
  needs: {
    drive: drivePort,
    outbound: outboundNeed,
    settings: settingsNeed,
    announceStart: announceStartNeed,
    media: bucketNeed([
      { prefix: 'uploads/', access: 'read' },
      { prefix: 'sources/', access: 'read' },
      { prefix: 'sources/', access: 'write' },
    ]),
  },
  memoised: true,
  memoryMb: 1024,
  ephemeralStorageMb: 2560,
  runPercent: [0, 6],
  everyAttempt: ({ announceStart, run }) => announceStart('creative-generation', run),
  run({ request: { source } }, { drive, outbound, settings, media, run, progress }) {
    return withWorkspace(async (directory) => {
      if (source.kind === 'known') {
        const key = `${run.tenant}/sources/${source.sha256}`;
        const head = await media.head(key);
        if (head === undefined)
          throw new InvalidInput(`No run has kept a video with the hash ${source.sha256}.`, {
            path: 'request.source.sha256',
          });
        return { source: { sha256: source.sha256, sizeBytes: head.sizeBytes, key } };
      }
      const path = join(directory, 'source');
      const report = (done: number, total: number | null): void =>
        progress(total === null ? 50 : (90 * done) / total, 'Fetching the video');
      let fetched: Fetched;
      if (source.kind === 'upload') {
        const key = ownUpload(run.tenant, source.key, 'request.source.key');
        fetched = await fetchUpload(media, key, path, report);
      } else if (source.kind === 'url') {
        fetched = await fetchUrl(outbound, source.url, path, report);
      } else {
        const { connections } = await settings.get(run.tenant);
        if (connections.drive === undefined) {
          throw new InvalidInput('No Drive is connected: set connections.drive in the settings.', {
            path: 'request.source',
          });
        }
        fetched = await fetchDriveFile(
          await drive.for({ tenant: run.tenant, secret: connections.drive }),
          source.fileId,
          path,
          report,
        );
      }
      if (fetched.sizeBytes === 0) throw new InvalidInput('The file is empty.', { path: 'request.source' });
      const key = `${run.tenant}/sources/${fetched.sha256}`;
      // The same bytes are the same object: whoever put them there first. The upload itself stays until the run has ended.
      await media.upload(path, key, { contentType: 'application/octet-stream', ifAbsent: true });
      return { source: { ...fetched, key } };
    });
  },
});

async function fetchUpload(
  media: Bucket,
  key: string,
  path: string,
  report: (done: number, total: number | null) => void,
): Promise<Fetched> {
  const head = await media.head(key);
  if (head === undefined)
    throw new InvalidInput(`There is no upload at ${key}; ask for a new upload address.`, {
      path: 'request.source.key',
    });
  if (head.sizeBytes > MAX_SOURCE_BYTES)
    throw new InvalidInput(`The upload has ${head.sizeBytes} bytes; at most ${MAX_SOURCE_BYTES} are taken.`, {
      path: 'request.source.key',
    });
  await media.download(key, path, report);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
