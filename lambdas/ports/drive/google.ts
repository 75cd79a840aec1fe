// How does Google Drive give us files and changes?
import * as z from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import { Refused, Unavailable } from '../../runtime/errors.ts';
import { exchange, networkFailure, shaped, type Answer, type Fetch } from '../exchange.ts';
import type { Drive, DriveFile } from './drive.ts';
import { driveError } from './google-errors.ts';

/** What a connection holds; access tokens last an hour and are fetched as needed. */
export const GoogleCredential = z.object({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  refreshToken: z.string().min(1),
  tokenUrl: z.url().default('https://oauth2.googleapis.com/token'),
});

export interface GoogleOptions {
  fetch: Fetch;
  clock: Clock;
  /** `https://www.googleapis.com` */
  baseUrl: string;
  credential: z.output<typeof GoogleCredential>;
  timeoutMs: number;
  /** Longest silence while a file is read. */
  idleTimeoutMs: number;
}

const Token = z.object({ access_token: z.string(), expires_in: z.number() });
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
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** Renewed this much before it ends. */
const TOKEN_MARGIN_MS = 60_000;

/** A drive for one connection. The token is kept for its lifetime and renewed once when it is rejected early. */
export function createGoogleDrive(options: GoogleOptions): Drive {
  const baseUrl = options.baseUrl.replace(/\/$/, '');
  let token: { value: string; untilMs: number } | undefined;

  const accessToken = async (): Promise<string> => {
    if (token !== undefined && options.clock.now() < token.untilMs) return token.value;
    const renewed = await renewToken(options);
    token = {
      value: renewed.access_token,
      untilMs: options.clock.now() + renewed.expires_in * 1000 - TOKEN_MARGIN_MS,
    };
    return token.value;
  };

  /** Asks again with a new token when one that was thought good is rejected. */
  const authorized = async <T extends { status: number }>(
    send: (authorization: string) => Promise<T>,
  ): Promise<T> => {
    const isOld = token !== undefined;
    const first = await send(`Bearer ${await accessToken()}`);
    if (first.status !== 401 || !isOld) return first;
    token = undefined;
    return send(`Bearer ${await accessToken()}`);
  };

  const get = async (
    what: string,
    path: string,
    query: Readonly<Record<string, string>>,
  ): Promise<unknown> => {
    const answer: Answer = await authorized((authorization) =>
      exchange(options.fetch, {
        vendor: 'Google Drive',
        what,
        method: 'GET',
        url: `${baseUrl}/drive/v3/${path}?${new URLSearchParams(query).toString()}`,
        headers: { authorization },
        timeoutMs: options.timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
      }),
    );
    if (answer.status !== 200) throw driveError(answer.status, answer.json, what);
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
      return download(options, url, authorized, start, end);
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

async function renewToken(options: GoogleOptions): Promise<z.output<typeof Token>> {
  const { clientId, clientSecret, refreshToken, tokenUrl } = options.credential;
  const what = 'renew access token';
  const answer = await exchange(options.fetch, {
    vendor: 'Google Drive',
    what,
    method: 'POST',
    url: tokenUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    }).toString(),
    timeoutMs: options.timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (answer.status === 400 || answer.status === 401) {
    throw new Refused('Google Drive: the connection was revoked or has expired. Reconnect Google Drive.', {
      vendorCode: String(answer.status),
      cause: answer.json,
    });
  }
  if (answer.status !== 200) throw driveError(answer.status, answer.json, what);
  return shaped(Token, answer.json, `Google Drive: ${what}`);
}

type Authorized = <T extends { status: number }>(send: (authorization: string) => Promise<T>) => Promise<T>;

async function download(
  options: GoogleOptions,
  url: string,
  authorized: Authorized,
  start: number,
  end: number | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const what = 'Google Drive: download file';
  // Silence ends the download, not its length.
  const silence = new AbortController();
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort(new DOMException('silence', 'TimeoutError')), options.idleTimeoutMs);
  let timer = watch();
  try {
    const response = await authorized((authorization) =>
      options.fetch(url, {
        method: 'GET',
        headers: { authorization, range: `bytes=${start}-${end === undefined ? '' : end - 1}` },
        redirect: 'manual',
        signal: silence.signal,
      }),
    );
    if (response.status !== 206 && !(response.status === 200 && start === 0)) {
      if (response.status === 200) {
        await response.body?.cancel();
        throw new Unavailable(`${what}: the range from byte ${start} was ignored.`);
      }
      const json: unknown = await response.json().catch(() => undefined);
      throw driveError(response.status, json, 'download file');
    }
    const { body } = response;
    return (async function* read() {
      try {
        for await (const chunk of body ?? []) {
          // A reader that takes its time is not silence of the sender.
          clearTimeout(timer);
          yield chunk;
          timer = watch();
        }
      } catch (error) {
        throw networkFailure(error, what, options.idleTimeoutMs);
      } finally {
        clearTimeout(timer);
      }
    })();
  } catch (error) {
    clearTimeout(timer);
    throw networkFailure(error, what, options.idleTimeoutMs);
  }
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
