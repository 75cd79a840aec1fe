// How does Google Drive answer on a laptop: files, ranges, changes, tokens?
import { describeFile, serveFile, type ServedFile } from '../ranges.ts';
import type {
  CustomFailure,
  SandboxContext,
  SandboxReply,
  SandboxRequest,
  Vendor,
  VendorFailure,
} from '../vendor.ts';

/** What a tenant's connection holds: enough to get access tokens. */
export const DEFAULT_DRIVE_CREDENTIAL = {
  clientId: 'sandbox-drive-client',
  clientSecret: 'sandbox-drive-secret',
  refreshToken: 'sandbox-drive-refresh',
} as const;

/** The JSON of the secret `impresario/tenants/<tenant>/drive` for this sandbox. */
export function driveSecret(sandboxUrl: string): Record<string, string> {
  return { ...DEFAULT_DRIVE_CREDENTIAL, tokenUrl: `${sandboxUrl}/drive/token` };
}

export interface DriveFileOptions {
  name: string;
  mimeType?: string;
  /** Parent folder id. */
  folderId?: string;
  /** A file of a shared drive is invisible to requests without `supportsAllDrives=true`. */
  sharedDrive?: boolean;
  /** Answer with this checksum instead of the real one: a copy that arrives damaged. */
  claimedSha256?: string;
}

export interface Drive extends Vendor {
  /** Registers a local file under a Drive id and records a change. */
  addFile(id: string, path: string, options: DriveFileOptions): Promise<void>;
  /** Moves it to the bin and records a change. */
  removeFile(id: string): void;
  /** Records another change of the same file, as an edit of its name would. */
  touch(id: string): void;
  /** Page tokens up to now are answered with 410. */
  expirePageTokens(): void;
  /** Access tokens given out so far are answered with 401. */
  expireAccessTokens(): void;
}

interface DriveFile extends ServedFile {
  options: DriveFileOptions;
  modifiedAtMs: number;
}

interface Change {
  fileId: string;
  removed: boolean;
  atMs: number;
  sharedDrive: boolean;
}

const TOKEN_LIFETIME_MS = 3_600_000;

class DriveError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export function createDrive(context: SandboxContext): Drive {
  const files = new Map<string, DriveFile>();
  const changes: Change[] = [];
  const accessTokens = new Map<string, number>();
  let oldestPage = 0;
  let issued = 0;

  const record = (fileId: string, removed: boolean, sharedDrive: boolean): void => {
    changes.push({ fileId, removed, atMs: context.now(), sharedDrive });
  };

  const find = (id: string, query: URLSearchParams): DriveFile => {
    const file = files.get(id);
    if (
      file === undefined ||
      (file.options.sharedDrive === true && query.get('supportsAllDrives') !== 'true')
    ) {
      throw new DriveError(404, 'notFound', `File not found: ${id}.`);
    }
    return file;
  };

  const describe = (id: string, file: DriveFile): Record<string, unknown> => ({
    kind: 'drive#file',
    id,
    name: file.options.name,
    mimeType: file.mimeType,
    size: String(file.sizeBytes),
    md5Checksum: file.md5,
    sha256Checksum: file.options.claimedSha256 ?? file.sha256,
    modifiedTime: new Date(file.modifiedAtMs).toISOString(),
    parents: file.options.folderId === undefined ? [] : [file.options.folderId],
    trashed: false,
  });

  const issueToken = (request: SandboxRequest): SandboxReply => {
    const form = new URLSearchParams(request.body.toString('utf8'));
    const isKnown =
      form.get('grant_type') === 'refresh_token' &&
      form.get('client_id') === DEFAULT_DRIVE_CREDENTIAL.clientId &&
      form.get('client_secret') === DEFAULT_DRIVE_CREDENTIAL.clientSecret &&
      form.get('refresh_token') === DEFAULT_DRIVE_CREDENTIAL.refreshToken;
    if (!isKnown) {
      return {
        status: 400,
        body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
      };
    }
    issued += 1;
    const token = `sandbox-drive-access-${issued}`;
    accessTokens.set(token, context.now() + TOKEN_LIFETIME_MS);
    return {
      status: 200,
      body: { access_token: token, expires_in: TOKEN_LIFETIME_MS / 1000, token_type: 'Bearer' },
    };
  };

  const authorize = (request: SandboxRequest): void => {
    const token = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    if ((accessTokens.get(token) ?? 0) <= context.now())
      throw new DriveError(401, 'authError', 'Invalid Credentials');
  };

  const listChanges = (query: URLSearchParams): SandboxReply => {
    const from = Number(query.get('pageToken') ?? Number.NaN);
    if (!Number.isSafeInteger(from) || from < 1)
      throw new DriveError(400, 'invalid', 'Invalid Value: pageToken');
    if (from < oldestPage)
      throw new DriveError(410, 'pageTokenExpired', 'The page token is no longer valid.');
    const size = Number(query.get('pageSize') ?? 100);
    const everywhere =
      query.get('supportsAllDrives') === 'true' && query.get('includeItemsFromAllDrives') === 'true';
    const shown = changes.slice(from - 1, from - 1 + size);
    const end = from + shown.length;
    return {
      status: 200,
      body: {
        kind: 'drive#changeList',
        changes: shown
          .filter(({ sharedDrive }) => everywhere || !sharedDrive)
          .map(({ fileId, removed, atMs }) => {
            const file = files.get(fileId);
            return {
              kind: 'drive#change',
              changeType: 'file',
              fileId,
              removed,
              time: new Date(atMs).toISOString(),
              ...(removed || file === undefined ? {} : { file: describe(fileId, file) }),
            };
          }),
        ...(end <= changes.length ? { nextPageToken: String(end) } : { newStartPageToken: String(end) }),
      },
    };
  };

  const respond = (request: SandboxRequest): SandboxReply => {
    if (request.method === 'POST' && request.path === '/token') return issueToken(request);
    authorize(request);
    if (request.method !== 'GET') throw new DriveError(404, 'notFound', 'Not Found');
    if (request.path === '/drive/v3/changes/startPageToken') {
      return {
        status: 200,
        body: { kind: 'drive#startPageToken', startPageToken: String(changes.length + 1) },
      };
    }
    if (request.path === '/drive/v3/changes') return listChanges(request.query);
    const id = /^\/drive\/v3\/files\/([^/]+)$/.exec(request.path)?.[1];
    if (id === undefined) throw new DriveError(404, 'notFound', 'Not Found');
    const file = find(decodeURIComponent(id), request.query);
    if (request.query.get('alt') === 'media') return serveFile(file, request.headers['range']);
    return { status: 200, body: describe(decodeURIComponent(id), file) };
  };

  return {
    name: 'drive',
    async handle(request) {
      try {
        return respond(request);
      } catch (error) {
        if (error instanceof DriveError) return errorReply(error);
        throw error;
      }
    },
    failure: (kind) => failureReply(kind),
    async addFile(id, path, options) {
      const described = await describeFile(path, options.name, options.mimeType ?? 'video/mp4');
      files.set(id, { ...described, options, modifiedAtMs: context.now() });
      record(id, false, options.sharedDrive === true);
    },
    removeFile(id) {
      const sharedDrive = files.get(id)?.options.sharedDrive === true;
      files.delete(id);
      record(id, true, sharedDrive);
    },
    touch(id) {
      record(id, false, files.get(id)?.options.sharedDrive === true);
    },
    expirePageTokens() {
      oldestPage = changes.length + 2;
      // The next start token must be valid again.
      changes.push({ fileId: 'none', removed: true, atMs: context.now(), sharedDrive: true });
    },
    expireAccessTokens: () => accessTokens.clear(),
    reset() {
      accessTokens.clear();
      issued = 0;
    },
  };
}

function errorReply({ status, reason, message }: DriveError): SandboxReply {
  return {
    status,
    body: { error: { code: status, message, errors: [{ domain: 'global', reason, message }] } },
  };
}

const FAILURES: Readonly<Record<VendorFailure, DriveError>> = {
  refuse: new DriveError(403, 'cannotDownloadFile', 'This file cannot be downloaded by the user.'),
  throttle: new DriveError(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded'),
  'server-error': new DriveError(500, 'backendError', 'Backend Error'),
  'expired-token': new DriveError(401, 'authError', 'Invalid Credentials'),
  permission: new DriveError(
    403,
    'insufficientFilePermissions',
    'The user does not have sufficient permissions for this file.',
  ),
  policy: new DriveError(403, 'domainPolicy', 'The domain administrators have disabled Drive apps.'),
  nonsense: new DriveError(502, 'badGateway', 'Bad Gateway'),
};

function failureReply(kind: VendorFailure | CustomFailure): SandboxReply {
  if (typeof kind === 'string') return errorReply(FAILURES[kind]);
  return {
    status: kind.status,
    ...(kind.headers === undefined ? {} : { headers: kind.headers }),
    body: { error: { code: kind.status, message: 'Scripted error', errors: [], ...kind.error } },
  };
}
