// How does a plain web server offer a video for download, with ranges and redirects?
import { describeFile, serveFile, type ServedFile } from '../ranges.ts';
import type { CustomFailure, SandboxReply, Vendor, VendorFailure } from '../vendor.ts';

export interface Download extends Vendor {
  /** Serves a local file at `/download/<name>`. */
  addFile(name: string, path: string, mimeType?: string): Promise<void>;
  /** Answers `/download/<name>` with a redirect. */
  addRedirect(name: string, location: string): void;
  /** From now on the server ignores Range headers for this file. */
  ignoreRanges(name: string): void;
}

const STATUS: Readonly<Record<VendorFailure, number>> = {
  refuse: 404,
  throttle: 429,
  'server-error': 503,
  'expired-token': 401,
  permission: 403,
  policy: 451,
  nonsense: 200,
};

export function createDownload(): Download {
  const files = new Map<string, ServedFile>();
  const redirects = new Map<string, string>();
  const rangeless = new Set<string>();
  return {
    name: 'download',
    async addFile(name, path, mimeType = 'video/mp4') {
      files.set(name, await describeFile(path, name, mimeType));
    },
    addRedirect: (name, location) => redirects.set(name, location),
    ignoreRanges: (name) => rangeless.add(name),
    async handle({ path, headers }): Promise<SandboxReply> {
      const name = decodeURIComponent(path.slice(1));
      const location = redirects.get(name);
      if (location !== undefined) return { status: 302, headers: { location }, body: '' };
      const file = files.get(name);
      if (file === undefined)
        return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' };
      return serveFile(file, rangeless.has(name) ? undefined : headers['range']);
    },
    failure(kind: VendorFailure | CustomFailure) {
      if (typeof kind !== 'string')
        return {
          status: kind.status,
          ...(kind.headers === undefined ? {} : { headers: kind.headers }),
          body: kind.error,
        };
      return {
        status: STATUS[kind],
        headers: { 'content-type': 'text/html' },
        body: `<h1>${STATUS[kind]}</h1>`,
      };
    },
    reset() {
      redirects.clear();
      rangeless.clear();
    },
  };
}
