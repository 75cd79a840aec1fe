// What changed in a tenant's watched folders since the last look, and which runs does it start?
import type { DriveFile } from '../ports/drive/drive.ts';
import type { DrivePort } from '../ports/drive/drive-port.ts';
import { Conflict, InvalidInput } from '../runtime/errors.ts';
import type { Settings } from '../runtime/settings-schema.ts';
import type { Creatives } from './creatives.ts';
import { MAX_SOURCE_BYTES } from './fetch-source.ts';
import { runIdOf, startRun, type StartContext } from './start-run.ts';
import { Brief } from './types.ts';

/** Of a hundred changes each; what is left waits for the next sweep. */
const MAX_PAGES = 20;

export interface Watched {
  /** Run ids, also of runs that existed. */
  started: string[];
  /** The vendor no longer knew the place where we stopped. */
  restarted: boolean;
}

export interface WatchContext extends StartContext {
  creatives: Pick<Creatives, 'driveToken' | 'moveDriveToken'>;
  drive: DrivePort;
}

/**
 * The token moves past a page only when all its runs have been started; a repeat finds them by their ids.
 * @throws InvalidInput for settings that cannot work, RateLimited at the tenant's limits, and what Drive throws.
 */
export async function watchTenant(tenant: string, context: WatchContext): Promise<Watched> {
  const { settings, creatives, clock } = context;
  const { connections, driveFolders } = await settings.get(tenant);
  if (connections.drive === undefined)
    throw new InvalidInput('Folders are watched, but no Drive is connected.', { path: 'connections.drive' });
  const briefs = briefsOf(driveFolders);
  const drive = await context.drive.for({ tenant, secret: connections.drive });
  const seen: Watched = { started: [], restarted: false };

  let token = await creatives.driveToken(tenant);
  if (token === undefined) {
    await creatives.moveDriveToken(tenant, undefined, await drive.startToken(), clock.now());
    return seen;
  }
  for (let page = 0; page < MAX_PAGES; page += 1) {
    let found;
    try {
      found = await drive.changes(token);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      await creatives.moveDriveToken(tenant, token, await drive.startToken(), clock.now());
      return { ...seen, restarted: true };
    }
    for (const { file } of found.changes) {
      const brief = file === null || !isVideo(file) ? undefined : folderOf(file, briefs);
      if (file === null || brief === undefined) continue;
      const runId = runIdOf('drive', tenant, file.id, file.sha256 ?? file.md5 ?? '');
      const source = { kind: 'drive', fileId: file.id } as const;
      const request = { purpose: 'publish', source, brief, sidecars: {} } as const;
      await startRun({ tenant, runId, request, startedBy: 'trigger:WatchDrive' }, context);
      seen.started.push(runId);
    }
    if (found.nextToken !== token)
      await creatives.moveDriveToken(tenant, token, found.nextToken, clock.now());
    token = found.nextToken;
    if (found.isLast) break;
  }
  return seen;
}

function briefsOf(folders: Settings['driveFolders']): Map<string, Brief> {
  return new Map(
    folders.map(({ id, brief }, index) => {
      const parsed = Brief.safeParse(brief);
      if (!parsed.success)
        throw new InvalidInput(
          `The brief of the watched folder ${id} is not complete: ${parsed.error.message}`,
          {
            path: `driveFolders.${index}.brief`,
          },
        );
      return [id, parsed.data];
    }),
  );
}

function folderOf(file: DriveFile, briefs: ReadonlyMap<string, Brief>): Brief | undefined {
  return file.folderIds.map((id) => briefs.get(id)).find((brief) => brief !== undefined);
}

function isVideo({ mimeType, sizeBytes, trashed }: DriveFile): boolean {
  return (
    mimeType.startsWith('video/') &&
    !trashed &&
    sizeBytes !== null &&
    sizeBytes > 0 &&
    sizeBytes <= MAX_SOURCE_BYTES
  );
}
