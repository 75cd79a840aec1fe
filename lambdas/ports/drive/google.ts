// How does Google Drive give us files and changes?
import * as z from 'zod';
import { Unavailable } from '../../runtime/errors.ts';
import { httpClient } from '../../runtime/http.ts';
import { shaped } from '../shaped.ts';
import type { Drive, DriveFile } from './drive.ts';
import { downloadFile } from './google-download.ts';
import { driveError } from './google-errors.ts';
import { googleTokens, type TokenOptions } from './google-token.ts';

export interface GoogleOptions extends TokenOptions {
  /** `https://www.googleapis.com` */
  baseUrl: string;
  /** Longest silence while a file is read. */
  idleTimeoutMs: number;
}

const File = z.object({
  id: z.string(),
  name: z.string().default(''),
  mimeType: z.string().default('application/octet-stream'),
  size: z.coerce.number().optional(),
  sha256Checksum: z.string().optional(),
  md5Checksum: z.string().optional(),
  parents: z.array(z.string()).default([]),
  trashed: z.boolean().default(false),
});
const StartToken = z.object({ startPageToken: z.string() });
const Changes = z.object({
  changes: z
    .array(
      z.object({ fileId: z.string().optional(), removed: z.boolean().default(false), file: File.optional() }),
    )
    .default([]),
  nextPageToken: z.string().optional(),
  newStartPageToken: z.string().optional(),
});

const FILE_FIELDS = 'id,name,mimeType,size,sha256Checksum,md5Checksum,parents,trashed';

/** A drive for one connection. The token is kept for its lifetime and renewed once when it is rejected early. */
export function createGoogleDrive(options: GoogleOptions): Drive {
  const { fetch, clock, timeoutMs } = options;
  const baseUrl = options.baseUrl.replace(/\/$/, '');
  const authorized = googleTokens(options);

  const get = async (
    what: string,
    path: string,
    query: Readonly<Record<string, string>>,
  ): Promise<unknown> => {
    const toError = ({ status, json }: { status: number; json: unknown }): Error =>
      driveError(status, json, what);
    const http = httpClient({ fetch, clock, vendor: 'Google Drive', timeoutMs, toError });
    const url = `${baseUrl}/drive/v3/${path}?${new URLSearchParams(query).toString()}`;
    const answer = await authorized((authorization) =>
      http.call({ what, method: 'GET', url, headers: { authorization } }),
    );
    return answer.json;
  };

  return {
    async file(id) {
      const query = { fields: FILE_FIELDS, supportsAllDrives: 'true' };
      return fileOf(
        shaped(
          File,
          await get('read file', `files/${encodeURIComponent(id)}`, query),
          'Google Drive: read file',
        ),
      );
    },
    async download(id, start, end) {
      const url = `${baseUrl}/drive/v3/files/${encodeURIComponent(id)}?alt=media&supportsAllDrives=true`;
      const { idleTimeoutMs } = options;
      return authorized((authorization) =>
        downloadFile({ fetch, url, authorization, start, end, idleTimeoutMs }),
      );
    },
    async startToken() {
      const found = await get('read start page token', 'changes/startPageToken', {
        supportsAllDrives: 'true',
      });
      return shaped(StartToken, found, 'Google Drive: read start page token').startPageToken;
    },
    async changes(pageToken) {
      const query = {
        pageToken,
        pageSize: '100',
        includeItemsFromAllDrives: 'true',
        supportsAllDrives: 'true',
        fields: `nextPageToken,newStartPageToken,changes(fileId,removed,file(${FILE_FIELDS}))`,
      };
      const page = shaped(Changes, await get('list changes', 'changes', query), 'Google Drive: list changes');
      const nextToken = page.nextPageToken ?? page.newStartPageToken;
      if (nextToken === undefined)
        throw new Unavailable('Google Drive: list changes did not say where to go on.');
      return {
        changes: page.changes.flatMap(({ fileId, removed, file }) =>
          fileId === undefined ? [] : [{ fileId, file: removed || file === undefined ? null : fileOf(file) }],
        ),
        nextToken,
        isLast: page.nextPageToken === undefined,
      };
    },
  };
}

function fileOf(file: z.output<typeof File>): DriveFile {
  return {
    id: file.id,
    name: file.name,
    mimeType: file.mimeType,
    sizeBytes: file.size ?? null,
    sha256: file.sha256Checksum ?? null,
    md5: file.md5Checksum ?? null,
    folderIds: file.parents,
    trashed: file.trashed,
  };
}
