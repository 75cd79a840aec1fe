// How does the outside world answer on a laptop?
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBedrock, type Bedrock } from './bedrock/bedrock.ts';
import { createDownload, type Download } from './download/download.ts';
import { createDrive, type Drive } from './drive/drive.ts';
import { createMeta, type Meta } from './meta/meta.ts';
import { createOpenAi, type OpenAi } from './openai/openai.ts';
import { createRekognition, type Rekognition } from './rekognition/rekognition.ts';
import { send } from './sending.ts';
import { createSwitchBoard, isSlow, type Failure, type SwitchBoard } from './switches.ts';
import { createTranscribe, type PutObject, type Transcribe } from './transcribe/transcribe.ts';
import { createTruthRegistry, type TruthRegistry } from './truth.ts';
import type { RecordedRequest, SandboxContext, SandboxRequest, Vendor, VendorHandle } from './vendor.ts';

export interface SandboxOptions {
  /** Milliseconds since the epoch; virtual in tests. */
  now: () => number;
  /** Seeded, [0, 1). */
  random: () => number;
  /** A free one when absent. */
  port?: number;
  /** How time passes while a slow answer is under way: moves a virtual clock. Real milliseconds when absent. */
  elapse?: (ms: number) => void | Promise<void>;
  /** Where Transcribe leaves its results. Without it a finished job fails like one that may not write to its bucket. */
  putObject?: PutObject;
}

export interface Sandbox {
  /** `http://127.0.0.1:<port>`; vendors live below it at `/<name>`. */
  readonly url: string;
  readonly meta: VendorHandle<Meta>;
  readonly drive: VendorHandle<Drive>;
  readonly rekognition: VendorHandle<Rekognition>;
  readonly transcribe: VendorHandle<Transcribe>;
  readonly openai: VendorHandle<OpenAi>;
  readonly bedrock: VendorHandle<Bedrock>;
  readonly download: VendorHandle<Download>;
  readonly truth: TruthRegistry;
  /** What to set in the environment of functions so that they talk to this sandbox. */
  environment(): Record<string, string>;
  /** Forgets what requests created, the request logs and every switch. */
  reset(): void;
  close(): Promise<void>;
}

interface Mounted {
  vendor: Vendor;
  board: SwitchBoard;
  requests: RecordedRequest[];
}

/** Starts every simulated vendor behind one loopback server. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  let url = '';
  const mounted = new Map<string, Mounted>();
  const truth = createTruthRegistry();
  const context = (name: string): SandboxContext => ({
    now: options.now,
    random: options.random,
    baseUrl: () => `${url}/${name}`,
  });
  const mount = <V extends Vendor>(vendor: V): VendorHandle<V> => {
    const board = createSwitchBoard();
    const requests: RecordedRequest[] = [];
    mounted.set(vendor.name, { vendor, board, requests });
    return Object.assign(vendor, {
      requests,
      fail: board.fail,
      heal: board.heal,
    });
  };

  const server = createServer((message, response) => {
    answer(message, response, mounted, options).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  const vendors = {
    meta: mount(createMeta(context('meta'))),
    drive: mount(createDrive(context('drive'))),
    rekognition: mount(createRekognition(truth)),
    transcribe: mount(createTranscribe(context('transcribe'), truth, options.putObject)),
    openai: mount(createOpenAi(context('openai'), truth)),
    bedrock: mount(createBedrock()),
    download: mount(createDownload()),
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    ...vendors,
    truth,
    environment: () => ({
      META_BASE_URL: `${url}/meta`,
      DRIVE_BASE_URL: `${url}/drive`,
      MODEL_BASE_URL: `${url}/openai`,
      SPEECH_BASE_URL: `${url}/openai`,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: `${url}/bedrock`,
      AWS_ENDPOINT_URL_REKOGNITION: `${url}/rekognition`,
      AWS_ENDPOINT_URL_TRANSCRIBE: `${url}/transcribe`,
    }),
    reset() {
      for (const { vendor, board, requests } of mounted.values()) {
        vendor.reset();
        board.heal();
        requests.length = 0;
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  mounted: ReadonlyMap<string, Mounted>,
  { now, elapse = realTime }: SandboxOptions,
): Promise<void> {
  const target = new URL(message.url ?? '/', 'http://sandbox');
  const [, name = '', ...rest] = target.pathname.split('/');
  const home = mounted.get(name);
  if (home === undefined) {
    message.resume();
    send(response, { status: 404, body: { message: `The sandbox has no vendor "${name}".` } }, false);
    return;
  }
  const amzTarget = message.headers['x-amz-target'];
  const request: SandboxRequest = {
    method: message.method ?? 'GET',
    path: typeof amzTarget === 'string' ? `/${amzTarget.split('.').at(-1)}` : `/${rest.join('/')}`,
    query: target.searchParams,
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body: await readBody(message),
    failsLater: false,
    no: home.requests.length,
  };
  const record: RecordedRequest = {
    atMs: now(),
    method: request.method,
    url: typeof amzTarget === 'string' ? request.path : (message.url ?? ''),
    outcome: 'disconnected',
  };
  home.requests.push(record);
  await perform(home, request, record, response, elapse);
}

const realTime = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function perform(
  { vendor, board }: Mounted,
  request: SandboxRequest,
  record: RecordedRequest,
  response: ServerResponse,
  elapse: (ms: number) => void | Promise<void>,
): Promise<void> {
  const failure: Failure | undefined = board.choose(request);
  if (isSlow(failure)) {
    if (failure.work !== 'first') await elapse(failure.delayMs);
    const reply = await vendor.handle(request);
    if (failure.work === 'first') await elapse(failure.delayMs);
    record.outcome = reply.status;
    send(response, reply, false);
    return;
  }
  switch (failure) {
    case 'timeout':
      record.outcome = 'timed-out';
      return;
    case 'disconnect':
      response.destroy();
      return;
    case 'apply-and-lose-reply':
      await vendor.handle(request);
      record.outcome = 'reply-lost';
      response.destroy();
      return;
    case 'apply-and-time-out':
      await vendor.handle(request);
      record.outcome = 'timed-out';
      return;
    case 'truncate':
      record.outcome = 'truncated';
      send(response, await vendor.handle(request), true);
      return;
    case 'fails-later':
    case undefined: {
      const reply = await vendor.handle({ ...request, failsLater: failure === 'fails-later' });
      record.outcome = reply.status;
      send(response, reply, false);
      return;
    }
    default: {
      const reply = vendor.failure(failure, request);
      record.outcome = reply.status;
      send(response, reply, false);
    }
  }
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
