// What is the body inside an aws-chunked request, and which trailers follow it?
import { AwsError } from '../types.ts';

const LONGEST_LINE = 8192;

/**
 * Decodes `aws-chunked` (signed or unsigned chunks). Trailers are added to `trailers`, names in lower case, once the
 * body was read to its end.
 * @throws AwsError IncompleteBody when the body breaks off
 */
export async function* decodeChunked(
  source: AsyncIterable<Uint8Array>,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const incoming = source[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);

  const more = async (): Promise<void> => {
    const next = await incoming.next();
    if (next.done === true) {
      throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly');
    }
    buffered = buffered.length === 0 ? Buffer.from(next.value) : Buffer.concat([buffered, next.value]);
  };
  const line = async (): Promise<string> => {
    for (;;) {
      const end = buffered.indexOf('\r\n');
      if (end >= 0) {
        const text = buffered.subarray(0, end).toString('latin1');
        buffered = buffered.subarray(end + 2);
        return text;
      }
      if (buffered.length > LONGEST_LINE) throw new AwsError('InvalidRequest', 'A chunk header is too long');
      await more();
    }
  };

  for (;;) {
    const header = await line();
    if (!/^[0-9a-fA-F]+(?:;|$)/.test(header))
      throw new AwsError('InvalidRequest', 'A chunk header is malformed');
    let left = Number.parseInt(header, 16);
    if (left === 0) break;
    while (left > 0) {
      if (buffered.length === 0) await more();
      const part = buffered.subarray(0, left);
      buffered = buffered.subarray(part.length);
      left -= part.length;
      yield part;
    }
    if ((await line()) !== '') throw new AwsError('InvalidRequest', 'A chunk is longer than announced');
  }
  for (;;) {
    const trailer = await line();
    if (trailer === '') return;
    const colon = trailer.indexOf(':');
    trailers.set(trailer.slice(0, colon).trim().toLowerCase(), trailer.slice(colon + 1).trim());
  }
}
