// What does ingest need of a file store in the cloud: metadata, bytes, and what changed?

export interface DriveFile {
  id: string;
  name: string;
  mimeType: string;
  /** Null for documents that have no bytes of their own. */
  sizeBytes: number | null;
  /** Hex; null where the store does not give one. */
  sha256: string | null;
  md5: string | null;
  folderIds: readonly string[];
  trashed: boolean;
}

export interface DriveChange {
  fileId: string;
  /** Null when the file is gone or no longer visible. */
  file: DriveFile | null;
}

export interface ChangePage {
  changes: readonly DriveChange[];
  /** Where to go on: the next page, or (when `isLast`) the place from which later changes will be listed. */
  nextToken: string;
  isLast: boolean;
}

/**
 * Every method throws Refused (credential over: reconnect; file not shared with us; policy), InvalidInput (no such range),
 * RateLimited, Unavailable, or Conflict (the change token is too old: start again from `startToken`).
 */
export interface Drive {
  file(id: string): Promise<DriveFile>;
  /** Bytes from `start` (inclusive) to `end` (exclusive, the rest of the file when absent). Breaks off with Unavailable. */
  download(id: string, start: number, end?: number): Promise<AsyncIterable<Uint8Array>>;
  /** The token from which changes after now are listed. */
  startToken(): Promise<string>;
  changes(token: string): Promise<ChangePage>;
}
