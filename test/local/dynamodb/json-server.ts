// How do real AWS clients reach an engine in these suites?
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, type Engine } from '../../../lib/local/types.ts';

export interface TestServer {
  endpoint: string;
  close(): Promise<void>;
}

export async function listen(handler: RequestListener): Promise<TestServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Dispatches `x-amz-target` requests (JSON 1.0) to one engine. */
export function serveJson(engine: Engine): Promise<TestServer> {
  return listen((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify(body));
      };
      engine
        .call(operation, JSON.parse(Buffer.concat(parts).toString() || '{}'), {
          principal: { kind: 'administrator' },
        })
        .then(
          (output) => answer(200, output),
          (error: unknown) => {
            if (error instanceof AwsError) {
              answer(error.status, { __type: error.code, message: error.message, ...error.fields });
            } else answer(500, { __type: 'InternalFailure', message: String(error) });
          },
        );
    });
  });
}
