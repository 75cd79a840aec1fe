import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { currentScope } from '../../../lib/local/lambda/isolation.ts';
import type { Json } from '../../../lib/local/types.ts';
import { codeDir, smallCloud, START } from './functions.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

function cloud() {
  const made = smallCloud();
  opened.push(() => made.lambda.close());
  return made;
}

const administrator = { principal: { kind: 'administrator' } } as const;

async function vendor(answer: (request: IncomingMessage) => string = () => '{"ok":true}') {
  const seen: { url: string; invocation: string | undefined; inside: boolean }[] = [];
  const server = createServer((request, response) => {
    const header = request.headers['x-impresario-invocation'];
    seen.push({
      url: request.url ?? '',
      invocation: typeof header === 'string' ? header : undefined,
      inside: currentScope() !== undefined,
    });
    response.end(answer(request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen };
}

const direct = (made: ReturnType<typeof cloud>, name: string, payload: Json = {}) =>
  made.lambda.call('InvokeDirect', { FunctionName: name, payload }, administrator);

describe('a function', () => {
  it('has its own modules, environment and clock', async () => {
    const made = cloud();
    const source = `
      import { counter } from './state.mjs';
      const atLoad = process.env.COLOUR;
      export const handler = async (event, context) => ({
        event, atLoad, now: Date.now(), date: new Date().toISOString(), isDate: new Date() instanceof Date,
        constructed: new Date().constructor === Date, count: ++counter.value, home: process.env.HOME ?? null,
        keys: Object.keys(process.env).includes('COLOUR'), name: context.functionName, id: context.awsRequestId,
        left: context.getRemainingTimeInMillis(), region: process.env.AWS_REGION,
        endpoint: process.env.AWS_ENDPOINT_URL, trace: process.env._X_AMZN_TRACE_ID.startsWith('Root=1-'),
      });`;
    const dir = codeDir(source, { 'state.mjs': 'export const counter = { value: 0 };' });
    for (const colour of ['red', 'blue']) {
      await made.deploy(colour, source, { codeDir: dir, Environment: { Variables: { COLOUR: colour } } });
    }
    made.lambda.setEndpoint('http://127.0.0.1:1');
    const red = await direct(made, 'red', { a: [1] });
    expect(red.payload).toMatchObject({
      event: { a: [1] },
      atLoad: 'red',
      now: START,
      date: '2026-01-01T00:00:00.000Z',
      isDate: true,
      constructed: true,
      count: 1,
      home: null,
      keys: true,
      name: 'red',
      left: 30_000,
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      trace: true,
    });
    expect((await direct(made, 'blue')).payload).toMatchObject({ atLoad: 'blue', count: 1 });
    expect((await direct(made, 'red')).payload).toMatchObject({ count: 2 });
    expect(Math.abs(Date.now() - START)).toBeGreaterThan(1_000);
    expect(process.env.COLOUR).toBeUndefined();
    made.lambda.close();
    expect(process.env.HOME).toBeDefined();
  });

  it('keeps two clouds of one process apart', async () => {
    const source = 'let n = 0; export const handler = async () => ({ n: ++n, stage: process.env.STAGE });';
    const dir = codeDir(source);
    for (const stage of ['one', 'two']) {
      const made = cloud();
      await made.deploy('same', source, { codeDir: dir, Environment: { Variables: { STAGE: stage } } });
      expect((await direct(made, 'same')).payload).toEqual({ n: 1, stage });
    }
  });

  it('fails as the Node runtime reports it', async () => {
    const made = cloud();
    await made.deploy(
      'refuses',
      `export const handler = async () => { throw Object.assign(new Error('no'), { name: 'Refused' }); };`,
    );
    await made.deploy('nothing', 'export const other = 1;');
    await made.deploy('broken', 'import "./absent.mjs";');
    expect((await direct(made, 'refuses')).functionError).toMatchObject({
      errorType: 'Refused',
      errorMessage: 'no',
    });
    expect((await direct(made, 'nothing')).functionError.errorType).toBe('Runtime.HandlerNotFound');
    expect((await direct(made, 'broken')).functionError.errorMessage).toContain('absent.mjs');
    await expect(direct(made, 'unknown')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('answers the wire with buffers and refuses what is too large', async () => {
    const made = cloud();
    await made.deploy('echo', 'export const handler = async (e) => e.grow ? "x".repeat(e.grow) : e;');
    const invoke = (Payload: Buffer) =>
      made.lambda.call('Invoke', { FunctionName: 'echo', Payload }, administrator);
    const answer = await invoke(Buffer.from('{"a":1}'));
    expect([answer.StatusCode, answer.FunctionError, answer.Payload.toString()]).toEqual([
      200,
      undefined,
      '{"a":1}',
    ]);
    await expect(invoke(Buffer.from(`"${'x'.repeat(6_291_456)}"`))).rejects.toMatchObject({ status: 413 });
    const grown = await invoke(Buffer.from('{"grow":6291456}'));
    expect(grown.FunctionError).toBe('Unhandled');
    expect(grown.Payload.toString()).toContain('Function.ResponseSizeTooLarge');
  });

  it('throttles above its reserved concurrency', async () => {
    const made = cloud();
    await made.deploy('one', 'export const handler = () => new Promise((r) => setTimeout(r, 20));', {
      ReservedConcurrentExecutions: 1,
    });
    const first = direct(made, 'one');
    await expect(direct(made, 'one')).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      status: 429,
    });
    await first;
    expect(await direct(made, 'one')).toHaveProperty('payload');
  });

  it('writes log lines and embedded metrics, Powertools included', async () => {
    const made = cloud();
    const powertools = (name: string) =>
      import.meta.resolve(`@aws-lambda-powertools/${name}`).replace(/\?.*$/, '');
    await made.deploy(
      'talks',
      `import { Logger } from '${powertools('logger')}';
       import { Metrics } from '${powertools('metrics')}';
       const logger = new Logger({ serviceName: 's' });
       const metrics = new Metrics({ namespace: 'Impresario', serviceName: 's' });
       export const handler = async (e) => {
         console.log('plain', { a: 1 });
         logger.appendKeys({ run: e.run });
         await new Promise((r) => setTimeout(r, e.wait));
         logger.info('hello');
         metrics.addDimension('workflow', e.run); metrics.addMetric('job_failures_total', 'Count', e.value);
         metrics.publishStoredMetrics();
       };`,
    );
    await Promise.all([
      direct(made, 'talks', { run: 'a', wait: 20, value: 2 }),
      direct(made, 'talks', { run: 'b', wait: 5, value: 3 }),
    ]);
    const lines = made.lambda.logs('talks').map(({ line }) => line);
    expect(lines.filter((line) => line === 'plain { a: 1 }')).toHaveLength(2);
    const logged = lines.filter((line) => line.includes('hello')).map((line) => JSON.parse(line));
    expect(logged.map((line) => String(line.run)).toSorted((a, b) => a.localeCompare(b))).toEqual(['a', 'b']);
    expect(
      made.lambda
        .metrics()
        .map(({ namespace, name, value, dimensions }) => [namespace, name, value, dimensions.workflow]),
    ).toEqual([
      ['Impresario', 'job_failures_total', 3, 'b'],
      ['Impresario', 'job_failures_total', 2, 'a'],
    ]);
  });
});

describe('time', () => {
  it('does not jump during an invocation, its children included', async () => {
    const made = cloud();
    await made.deploy(
      'slow',
      `import { spawn } from 'node:child_process'; import { once } from 'node:events';
       export const handler = async () => {
         const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 50)']);
         await once(child, 'exit'); return Date.now(); };`,
    );
    let jumped = false;
    made.clock.at(START + 1_000, () => (jumped = true));
    const answer = direct(made, 'slow').then((result) => ({ result, jumped }));
    await made.clock.settle();
    expect(await answer).toEqual({ result: expect.objectContaining({ payload: START }), jumped: false });
    expect(jumped).toBe(true);
  });

  it('a function that never ends is timed out in real time, and its children are killed', async () => {
    const made = cloud();
    await made.deploy(
      'stuck',
      `import { spawn } from 'node:child_process';
       export const handler = async () => { globalThis.stuckPid = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']).pid; await new Promise(() => {}); };`,
      { Timeout: 1 },
    );
    const { functionError } = await direct(made, 'stuck');
    expect(functionError).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(functionError.errorMessage).toContain('timed out after 1.00 seconds');
    const stuckPid = Number(Reflect.get(globalThis, 'stuckPid'));
    await made.clock.settle();
    expect(() => process.kill(stuckPid, 0)).toThrow('ESRCH');
  });
});

const caller = (url: string) => `
  import http from 'node:http';
  const viaHttp = (path) => new Promise((resolve, reject) => {
    const req = http.request('${url}' + path, (res) => { let t = ''; res.on('data', (d) => t += d); res.on('end', () => resolve(res.statusCode + ' ' + t)); });
    req.on('error', reject); req.end();
  });
  export const handler = async (e) => {
    const out = [];
    for (const path of e.paths) {
      try { out.push(e.how === 'http' ? await viaHttp(path) : await (await fetch('${url}' + path, { signal: AbortSignal.timeout(5000) })).text()); }
      catch (error) { out.push(error.cause?.code ?? (typeof error.code === 'string' ? error.code : error.name)); }
    }
    return out;
  };`;

describe.each(['http', 'fetch'])('requests of an invocation by %s', (how) => {
  it('carry its id, and the server is not inside the invocation', async () => {
    const made = cloud();
    const { url, seen } = await vendor();
    await made.deploy('caller', caller(url));
    const { payload } = await direct(made, 'caller', { how, paths: ['/a', '/b'] });
    expect(payload).toHaveLength(2);
    expect(payload[0]).toContain('{"ok":true}');
    expect(new Set(seen.map((request) => request.invocation)).size).toBe(1);
    expect(seen[0]!.invocation).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen.some((request) => request.inside)).toBe(false);
    expect(made.lambda.principalOf(seen[0]!.invocation!)).toBeUndefined();
  });

  it('are killed before or after the n-th call', async () => {
    for (const when of ['before', 'after'] as const) {
      const made = cloud();
      const { url, seen } = await vendor();
      await made.deploy('caller', caller(url));
      const fault = made.faults.add({ function: 'caller', callIndex: 2, when, effect: { kind: 'kill' } });
      const { functionError } = await direct(made, 'caller', { how, paths: ['/1', '/2', '/3'] });
      expect(functionError.errorType).toBe('Runtime.ExitError');
      await made.clock.settle();
      expect(seen.map((request) => request.url)).toEqual(when === 'before' ? ['/1'] : ['/1', '/2']);
      expect(fault.hits).toBe(1);
    }
  });

  it('lose their reply, or get an error instead', async () => {
    const made = cloud();
    const { url, seen } = await vendor();
    await made.deploy('caller', caller(url));
    made.faults.add({ callIndex: 1, when: 'before', effect: { kind: 'lost-reply' } });
    made.faults.add({ callIndex: 2, when: 'before', effect: { kind: 'error', code: 'Busy', status: 503 } });
    made.faults.add({ callIndex: 3, when: 'after', effect: { kind: 'throttle' } });
    const { payload } = await direct(made, 'caller', { how, paths: ['/1', '/2', '/3', '/4'] });
    expect(payload[0]).toBe('ECONNRESET');
    expect(payload[1]).toContain('Busy');
    expect(payload[2]).toContain('TooManyRequests');
    expect(payload[3]).toContain('ok');
    expect(seen.map((request) => request.url)).toEqual(['/1', '/3', '/4']);
  });
});

describe('an invocation that is over', () => {
  it('sends nothing any more and starts no process', async () => {
    const made = cloud();
    const { url, seen } = await vendor();
    await made.deploy(
      'lingers',
      `import http from 'node:http'; import { spawn } from 'node:child_process';
       export const handler = () => new Promise(() => {
         void globalThis.gate.then(async () => {
           http.get('${url}/late-http'); void fetch('${url}/late-fetch');
           try { spawn(process.execPath, ['-v']); } catch { globalThis.refused = true; }
           globalThis.lingered();
         });
         void fetch('${url}/kill');
       });`,
    );
    const gate = Promise.withResolvers<void>();
    const lingered = Promise.withResolvers<void>();
    Object.assign(globalThis, { gate: gate.promise, lingered: lingered.resolve });
    made.faults.add({ callIndex: 1, when: 'after', effect: { kind: 'kill' } });
    expect((await direct(made, 'lingers')).functionError.errorType).toBe('Runtime.ExitError');
    gate.resolve();
    await lingered.promise;
    for (const path of ['/1', '/2', '/3']) await (await fetch(url + path)).text();
    expect(seen.map((request) => request.url)).toEqual(['/kill', '/1', '/2', '/3']);
    expect(Reflect.get(globalThis, 'refused')).toBe(true);
  });
});

describe('a call that is never answered', () => {
  it('ends with the caller’s own timeout, in cloud time', async () => {
    const made = cloud();
    const { url } = await vendor();
    await made.deploy('caller', caller(url));
    made.faults.add({ callIndex: 1, when: 'before', effect: { kind: 'timeout' } });
    const answer = direct(made, 'caller', { how: 'fetch', paths: ['/1', '/2'] });
    const before = performance.now();
    await made.clock.until(() => made.clock.now() >= START + 5_000);
    expect((await answer).payload).toEqual(['TimeoutError', '{"ok":true}']);
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(made.clock.now()).toBe(START + 5_000);
  });

  it('ends with the function’s timeout when the caller has none', async () => {
    const made = cloud();
    const { url } = await vendor();
    await made.deploy('caller', caller(url));
    made.faults.add({ callIndex: 1, when: 'after', effect: { kind: 'timeout' } });
    const answer = direct(made, 'caller', { how: 'http', paths: ['/1'] });
    await made.clock.settle();
    expect((await answer).functionError.errorType).toBe('Sandbox.Timedout');
    expect(made.clock.now()).toBe(START + 30_000);
  });
});

describe('a call that is never answered while others of the invocation are', () => {
  it('keeps the function waiting, and ends with its timeout', async () => {
    const made = cloud();
    const { url, seen } = await vendor();
    await made.deploy(
      'both',
      `import http from 'node:http';
      const send = (path) => new Promise((resolve, reject) => {
        http.get(${JSON.stringify(url)} + path, (response) => response.resume().on('end', resolve)).on('error', reject);
      });
      export const handler = () => Promise.all([send('/never'), send('/soon')]);`,
    );
    made.faults.add({ callIndex: 1, when: 'before', effect: { kind: 'timeout' } });
    const answer = direct(made, 'both', {});
    await made.clock.settle({ stuckAfterMs: 2_000 });
    expect((await answer).functionError.errorType).toBe('Sandbox.Timedout');
    expect(seen.map((request) => request.url)).toEqual(['/soon']);
  });
});

describe('faults of whole invocations', () => {
  it('fail before or after the handler ran', async () => {
    const made = cloud();
    const { url, seen } = await vendor();
    await made.deploy('caller', caller(url));
    for (const when of ['before', 'after'] as const) {
      for (const invocation of ['error', 'kill'] as const) {
        made.faults.add({ function: 'caller', invocation, when, errorType: 'Unavailable', times: 1 });
        const { functionError } = await direct(made, 'caller', { how: 'fetch', paths: ['/'] });
        expect(functionError.errorType).toBe(invocation === 'kill' ? 'Runtime.ExitError' : 'Unavailable');
      }
    }
    expect(seen).toHaveLength(2);
    made.faults.add({ function: 'caller', invocation: 'throttle', times: 1 });
    await expect(direct(made, 'caller')).rejects.toMatchObject({ code: 'TooManyRequestsException' });
    made.faults.add({ function: 'caller', invocation: 'timeout', times: 1 });
    const timedOut = direct(made, 'caller', { paths: [] });
    await made.clock.settle();
    expect((await timedOut).functionError.errorType).toBe('Sandbox.Timedout');
    expect((await direct(made, 'caller', { paths: [] })).payload).toEqual([]);
  });
});

describe('asynchronous invocation', () => {
  it('retries after one and two minutes, then hands over to the destination', async () => {
    const made = cloud();
    await made.deploy(
      'fails',
      `export const handler = async () => { console.log('tried'); throw new Error('no'); };`,
    );
    await made.lambda.call(
      'PutFunctionEventInvokeConfig',
      {
        FunctionName: 'fails',
        DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:dead' } },
      },
      administrator,
    );
    const answer = await made.lambda.call(
      'Invoke',
      { FunctionName: 'fails', InvocationType: 'Event', Payload: '{"a":1}' },
      administrator,
    );
    expect(answer.StatusCode).toBe(202);
    await made.clock.settle();
    expect(made.lambda.logs('fails').map((line) => line.timestampMs - START)).toEqual([0, 60_000, 180_000]);
    expect(made.calls).toHaveLength(1);
    expect(made.calls[0]).toMatchObject({
      service: 'sqs',
      operation: 'SendMessage',
      principal: { kind: 'role' },
      input: { QueueUrl: 'https://sqs.us-east-1.amazonaws.com/000000000000/dead' },
    });
    expect(JSON.parse(made.calls[0]!.input.MessageBody)).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { a: 1 },
      responsePayload: { errorMessage: 'no' },
    });
  });

  it('may deliver twice', async () => {
    const made = cloud();
    await made.deploy('counts', `export const handler = async () => { console.log('ran'); };`);
    made.faults.add({ function: 'counts', invocation: 'duplicate', times: 1 });
    const event = { FunctionName: 'counts', InvocationType: 'Event' };
    await made.lambda.call('Invoke', event, administrator);
    await made.clock.settle();
    const ids = made.lambda.logs('counts').map(({ requestId }) => requestId);
    // Each is an invocation of its own: neither ends the other.
    expect(new Set(ids).size).toBe(2);
  });
});

describe('permissions', () => {
  it('keeps what AddPermission granted', async () => {
    const made = cloud();
    await made.deploy('f', 'export const handler = 1;');
    const permission = {
      FunctionName: 'f',
      StatementId: 's',
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: 'arn:rule',
    };
    await made.lambda.call('AddPermission', permission, administrator);
    expect(made.lambda.resourcePolicy('arn:aws:lambda:us-east-1:000000000000:function:f')).toEqual([
      {
        Sid: 's',
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f',
        Condition: { ArnLike: { 'AWS:SourceArn': 'arn:rule' } },
      },
    ]);
    expect(made.lambda.authorization('InvokeDirect', { FunctionName: 'f' })).toEqual([
      { action: 'lambda:InvokeFunction', resource: 'arn:aws:lambda:us-east-1:000000000000:function:f' },
    ]);
  });
});
