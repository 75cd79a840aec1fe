// On which loopback port does a server answer?
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  /** `http://127.0.0.1:PORT` */
  url: string;
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 only. Port 0 takes any free one.
 * @param option how a user chooses another port (`--aws-port`).
 * @throws Error naming the port and the option when the port is taken.
 */
export async function listen(
  listener: RequestListener,
  port: number,
  what: string,
  option: string,
): Promise<Listening> {
  const server = createServer(listener);
  // Clients in this process keep connections; a client must never see one closed under its request.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = `Port ${port} for ${what} is already in use. Stop what uses it, or choose another with ${option}.`;
      reject(error.code === 'EADDRINUSE' ? new Error(busy, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
