// How do other commands find the Impresario that is running, and get tokens from it?
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenRequest } from '../local/issuer.ts';
import { listen } from '../local/listen.ts';
import type { World } from './world.ts';

/** `.impresario/serving.json`, readable by its owner only: the secret in it signs tokens. */
export interface Serving {
  pid: number;
  apiUrl: string;
  awsEndpoint: string;
  tokenUrl: string;
  secret: string;
}

const FILE = 'serving.json';

/**
 * Writes the address file and answers `token`. The secret keeps other users of this machine, and web pages in its
 * browsers, from signing tokens.
 * @returns the way to take the file away again.
 */
export async function announce(world: World, cacheDir: string): Promise<() => Promise<void>> {
  const secret = randomBytes(24).toString('base64url');
  const server = await listen(
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (!isSame(request.headers.authorization ?? '', `Bearer ${secret}`)) {
          response.writeHead(403).end();
          return;
        }
        const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as TokenRequest;
        world.issuer.sign(asked).then(
          (token) => response.writeHead(200, { 'content-type': 'text/plain' }).end(token),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      });
    },
    0,
    'tokens',
    '--api-port',
  );
  const serving: Serving = {
    pid: process.pid,
    apiUrl: world.cloud.apiUrl,
    awsEndpoint: world.cloud.endpoint,
    tokenUrl: server.url,
    secret,
  };
  mkdirSync(cacheDir, { recursive: true });
  const path = join(cacheDir, FILE);
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(serving, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${path}.${process.pid}`, 0o600);
  renameSync(`${path}.${process.pid}`, path);
  return async () => {
    // Another one may have started since and be announced there now.
    if (readServing(cacheDir)?.pid === process.pid) rmSync(path, { force: true });
    await server.close();
  };
}

function isSame(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What is running, if its process is still there. */
export function readServing(cacheDir: string): Serving | undefined {
  const path = join(cacheDir, FILE);
  if (!existsSync(path)) return undefined;
  const serving = JSON.parse(readFileSync(path, 'utf8')) as Serving;
  return isAlive(serving.pid) ? serving : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @throws Error in a sentence when nothing answers there. */
export async function requestToken(serving: Serving, request: TokenRequest): Promise<string> {
  let response: Response;
  try {
    response = await fetch(serving.tokenUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${serving.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
  } catch (error) {
    throw new Error(NOT_SERVING, { cause: error });
  }
  const text = await response.text();
  if (!response.ok) throw new Error(`The token was not signed: ${response.status} ${text}`);
  return text;
}

export const NOT_SERVING =
  'Nothing is being served from this folder. Start it in another terminal with: npm run local -- serve';
