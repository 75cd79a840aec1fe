// How does an answer of the sandbox leave the process, whole or cut short?
import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { FileRange, type SandboxReply } from './vendor.ts';

/** `truncated` promises the whole body, sends half and drops the connection. */
export function send(response: ServerResponse, reply: SandboxReply, truncated: boolean): void {
  const { body } = reply;
  if (body instanceof FileRange) {
    const sizeBytes = body.end - body.start;
    response.writeHead(reply.status, { ...reply.headers, 'content-length': sizeBytes });
    // `HEAD` is told the length and gets no body.
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const lastByte = (truncated ? body.start + Math.floor(sizeBytes / 2) : body.end) - 1;
    if (lastByte < body.start) {
      if (truncated) response.destroy();
      else response.end();
      return;
    }
    const stream = createReadStream(body.path, { start: body.start, end: lastByte });
    stream.on('error', () => response.destroy());
    stream.on('end', () => {
      // The first half must leave the process before the connection is cut.
      if (truncated) response.write('', () => response.destroy());
    });
    stream.pipe(response, { end: !truncated });
    return;
  }
  const isRaw = Buffer.isBuffer(body) || typeof body === 'string';
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(isRaw ? body : body === undefined ? '' : JSON.stringify(body));
  response.writeHead(reply.status, {
    ...(isRaw || body === undefined ? {} : { 'content-type': 'application/json' }),
    ...reply.headers,
    'content-length': bytes.length,
  });
  if (truncated) response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
  else response.end(bytes);
}
