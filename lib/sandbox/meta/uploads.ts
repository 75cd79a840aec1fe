// How does a video reach the simulated ad account, and when is it ready?
import { createHash } from 'node:crypto';
import type { SandboxContext, SandboxRequest } from '../vendor.ts';
import type { SandboxAccount } from './accounts.ts';
import { GraphError, invalidParameter } from './errors.ts';
import type { GraphObject, ObjectStore } from './store.ts';
import { requiredText, text, type Params } from './wire.ts';

interface Session {
  accountId: string;
  videoId: string;
  sizeBytes: number;
  received: Buffer[];
  receivedBytes: number;
}

/** What matters of the request: `failsLater` accepts the video, whose processing then fails. */
export type UploadRequest = Pick<SandboxRequest, 'failsLater' | 'no'>;

export interface Uploads {
  /** `POST act_<id>/advideos`, by upload phase or `file_url`. */
  post(account: SandboxAccount, params: Params, request: UploadRequest): Record<string, unknown>;
  isReady(video: GraphObject): boolean;
  /** `status` and `picture` as a read sees them now. */
  describe(video: GraphObject): Record<string, unknown>;
  clear(): void;
}

/** What the server asks for per transfer; the live API varies it with the connection. */
const CHUNK_BYTES = 1024 * 1024;
const PROCESSING_MS = 30_000;

/** `onAdded` learns of each video and of the request that added it. */
export function createUploads(
  store: ObjectStore,
  context: SandboxContext,
  onAdded: (video: GraphObject, request: UploadRequest) => void,
): Uploads {
  const sessions = new Map<string, Session>();

  const addVideo = (
    account: SandboxAccount,
    id: string,
    params: Params,
    content: string,
    request: UploadRequest,
  ): void => {
    const fields = {
      title: text(params, 'title') ?? '',
      account_id: account.id,
      content,
      created_time: new Date(context.now()).toISOString(),
      uploadedAtMs: context.now(),
      failed: request.failsLater,
    };
    onAdded(store.create('advideo', account.id, fields, id), request);
  };

  const start = (account: SandboxAccount, params: Params): Record<string, unknown> => {
    const sizeBytes = Number(requiredText(params, 'file_size'));
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0)
      throw invalidParameter('file_size must be a positive integer.');
    const sessionId = store.nextId();
    const videoId = store.nextId();
    sessions.set(sessionId, { accountId: account.id, videoId, sizeBytes, received: [], receivedBytes: 0 });
    return { upload_session_id: sessionId, video_id: videoId, ...nextWindow(0, sizeBytes) };
  };

  const session = (account: SandboxAccount, params: Params): [string, Session] => {
    const id = requiredText(params, 'upload_session_id');
    const found = sessions.get(id);
    if (found === undefined || found.accountId !== account.id) {
      throw new GraphError({
        message: 'There was a problem uploading your video: the upload session is unknown or over.',
        code: 6000,
        error_subcode: 1_363_047,
      });
    }
    return [id, found];
  };

  const transfer = (account: SandboxAccount, params: Params): Record<string, unknown> => {
    const [, open] = session(account, params);
    const offset = Number(requiredText(params, 'start_offset'));
    const chunk = params['video_file_chunk'];
    if (!Buffer.isBuffer(chunk)) throw invalidParameter('The parameter video_file_chunk is required.');
    // A chunk that comes again (its reply was lost) changes nothing.
    if (offset + chunk.length <= open.receivedBytes) return nextWindow(open.receivedBytes, open.sizeBytes);
    if (offset !== open.receivedBytes || offset + chunk.length > open.sizeBytes) {
      throw new GraphError({
        message: 'Your video upload did not continue where it stopped.',
        code: 6001,
        error_subcode: 1_363_037,
        is_transient: false,
      });
    }
    open.received.push(chunk);
    open.receivedBytes += chunk.length;
    return nextWindow(open.receivedBytes, open.sizeBytes);
  };

  const finish = (
    account: SandboxAccount,
    params: Params,
    request: UploadRequest,
  ): Record<string, unknown> => {
    const [id, open] = session(account, params);
    if (open.receivedBytes !== open.sizeBytes)
      throw invalidParameter('The upload is not complete.', 1_363_031);
    const content = createHash('sha256');
    for (const chunk of open.received) content.update(chunk);
    addVideo(account, open.videoId, params, content.digest('hex'), request);
    sessions.delete(id);
    return { success: true };
  };

  const progress = (video: GraphObject): 'processing' | 'ready' | 'error' => {
    if (context.now() < Number(video.fields['uploadedAtMs']) + PROCESSING_MS) return 'processing';
    return video.fields['failed'] === true ? 'error' : 'ready';
  };

  return {
    post(account, params, request) {
      const fileUrl = text(params, 'file_url');
      if (fileUrl !== undefined) {
        const id = store.nextId();
        addVideo(account, id, params, createHash('sha256').update(fileUrl).digest('hex'), request);
        return { id };
      }
      const phase = requiredText(params, 'upload_phase');
      if (phase === 'start') return start(account, params);
      if (phase === 'transfer') return transfer(account, params);
      if (phase === 'finish') return finish(account, params, request);
      throw invalidParameter('upload_phase must be one of start, transfer, finish, cancel.');
    },
    isReady: (video) => progress(video) === 'ready',
    describe(video) {
      const state = progress(video);
      return {
        status: {
          video_status: state,
          processing_progress: state === 'processing' ? 50 : 100,
          uploading_phase: { status: 'complete' },
          processing_phase:
            state === 'error'
              ? {
                  status: 'error',
                  errors: [
                    {
                      code: 1_363_026,
                      message: 'The video file you have selected is in a format that we do not support.',
                    },
                  ],
                }
              : { status: state === 'ready' ? 'complete' : 'in_progress' },
        },
        ...(state === 'ready' ? { picture: `https://scontent.sandbox.example/${video.id}.jpg` } : {}),
      };
    },
    clear: () => sessions.clear(),
  };
}

function nextWindow(start: number, sizeBytes: number): Record<string, string> {
  return { start_offset: String(start), end_offset: String(Math.min(sizeBytes, start + CHUNK_BYTES)) };
}
