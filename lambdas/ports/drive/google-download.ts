// How are the bytes of a Google Drive file read, from where it stopped?
import { Unavailable } from '../../runtime/errors.ts';
import { networkFailure, type Fetch } from '../../runtime/http.ts';
import { driveError } from './google-errors.ts';

export interface DownloadRequest {
  fetch: Fetch;
  url: string;
  authorization: string;
  /** Bytes [start, end); to the end of the file when absent. */
  start: number;
  end: number | undefined;
  /** Longest silence of the sender: a large file has no other limit. */
  idleTimeoutMs: number;
}

const WHAT = 'Google Drive: download file';

/** The stream throws Unavailable where it breaks off. @throws what `driveError` says; Unavailable when the range is ignored. */
export async function downloadFile(request: DownloadRequest): Promise<AsyncIterable<Uint8Array>> {
  const { url, authorization, start, end, idleTimeoutMs } = request;
  const silence = new AbortController();
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort(new DOMException('silence', 'TimeoutError')), idleTimeoutMs);
  const timer = watch();
  try {
    const response = await request.fetch(url, {
      method: 'GET',
      headers: { authorization, range: `bytes=${start}-${end === undefined ? '' : end - 1}` },
      redirect: 'manual',
      signal: silence.signal,
    });
    const isWhole = response.status === 200 && start === 0 && end === undefined;
    if (response.status === 206 || isWhole) return chunks(response, watch, idleTimeoutMs);
    if (response.status === 200) {
      await response.body?.cancel();
      throw new Unavailable(`${WHAT}: the range from byte ${start} was ignored.`);
    }
    const json: unknown = await response.json().catch(() => undefined);
    throw driveError(response.status, json, 'download file');
  } catch (error) {
    throw networkFailure(error, WHAT, idleTimeoutMs);
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(
  response: Response,
  watch: () => NodeJS.Timeout,
  idleTimeoutMs: number,
): AsyncGenerator<Uint8Array> {
  let timer = watch();
  try {
    for await (const chunk of response.body ?? []) {
      // A reader that takes its time is not silence of the sender.
      clearTimeout(timer);
      yield chunk;
      timer = watch();
    }
  } catch (error) {
    throw networkFailure(error, WHAT, idleTimeoutMs);
  } finally {
    clearTimeout(timer);
  }
}
