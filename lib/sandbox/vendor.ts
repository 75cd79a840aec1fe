// What is a vendor of the sandbox: what does it receive, what may it answer, how can it fail?
import type { Switches } from './switches.ts';

export interface SandboxRequest {
  method: string;
  /** Below the vendor's prefix, starting with `/`; for AWS wire protocols `/<Operation>`. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The request was chosen by a switch to be accepted and to fail in processing afterwards. */
  failsLater: boolean;
  /** Its index in the vendor's `requests`. */
  no: number;
}

export interface SandboxReply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Buffers and strings go out as they are, a file range is streamed, anything else is JSON. */
  body?: Buffer | string | FileRange | object;
}

/** Bytes [start, end) of a file on disk. */
export class FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;

  constructor(path: string, start: number, end: number) {
    this.path = path;
    this.start = start;
    this.end = end;
  }
}

/** How a vendor says each documented kind of no. */
export type VendorFailure =
  | 'refuse'
  | 'throttle'
  | 'server-error'
  | 'expired-token'
  | 'permission'
  | 'policy'
  | 'nonsense';

/** An answer made up by a test: the vendor wraps `error` in its own envelope. */
export interface CustomFailure {
  status: number;
  error: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

/** One simulated vendor: stateful, deterministic, reached at `/<name>/…`. */
export interface Vendor {
  readonly name: string;
  handle(request: SandboxRequest): Promise<SandboxReply>;
  failure(kind: VendorFailure | CustomFailure, request: SandboxRequest): SandboxReply;
  /** Forgets everything that requests created; what a test registered stays. */
  reset(): void;
}

/** A vendor's own part of the sandbox as tests see it: its state, its switches and what was asked of it. */
export type VendorHandle<V extends Vendor> = V & { readonly requests: readonly RecordedRequest[] } & Switches;

export interface RecordedRequest {
  atMs: number;
  method: string;
  /** Path and query as the client sent them: secrets must not be here. */
  url: string;
  /** The status that was sent, or why none was. */
  outcome: number | 'timed-out' | 'disconnected' | 'reply-lost' | 'truncated';
}

export interface SandboxContext {
  /** Virtual or real time, milliseconds since the epoch. */
  now: () => number;
  /** Seeded, [0, 1). */
  random: () => number;
  /** Base URL of the vendor, known once the server listens. */
  baseUrl: () => string;
}
