// Does every function leave a failing vendor alone once one of them knows, and come back together?
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_MS } from '../../lambdas/runtime/circuit.ts';
import { SYNC_MS, openCircuits } from '../../lambdas/runtime/circuits.ts';
import { Refused, Unavailable } from '../../lambdas/runtime/errors.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let plane: DataPlane;
let table: Table;
let output: OutputLines;
beforeAll(async () => {
  plane = await startDataPlane();
  table = plane.open(tableNeed('circuits', 'write'));
});
afterAll(() => plane.cloud.close());
beforeEach(() => {
  output = captureOutput();
});
afterEach(() => {
  output.stop();
  plane.cloud.faults.clear();
});

let services = 0;
const freshService = () => `vendor-${(services += 1)}`;
const broken = () => Promise.reject(new Unavailable('timed out'));
const fine = () => Promise.resolve('ok');
const attempt = (run: Promise<unknown>) =>
  run.then(String, (error: Error & { vendorCode?: string }) => error.vendorCode ?? error.message);

async function broke(service: string, tenant = 'acme') {
  const circuits = openCircuits(table, plane.clock);
  for (let i = 0; i < 5; i += 1) await attempt(circuits.run(service, tenant, broken));
  return circuits;
}

describe('shared circuits', () => {
  it('open by failures of several functions together, for that tenant alone', async () => {
    const service = freshService();
    const functions = Array.from({ length: 5 }, () => openCircuits(table, plane.clock));
    for (const circuits of functions)
      expect(await attempt(circuits.run(service, 'acme', broken))).toBe('timed out');
    const sixth = openCircuits(table, plane.clock);
    expect(await attempt(sixth.run(service, 'acme', fine))).toBe('circuit-open');
    expect(await attempt(sixth.run(service, 'other', fine))).toBe('ok');
    // Every metric is said by its own dimensions and once more over everything, for alarms.
    const said = (metric: string) =>
      output
        .metrics()
        .filter(({ name }) => name === metric)
        .map(({ value, dimensions }) => [value, dimensions['service']]);
    const open = [
      [1, service],
      [1, 'impresario'],
    ];
    // The function that opened it, and the one that met it open.
    expect(said('circuit_breaker_state')).toEqual([...open, ...open]);
    expect(said('circuit_breaker_failures_total')).toEqual([...open, ...open, ...open, ...open, ...open]);
  });

  it('become known to a function that believed them closed, within the time of a sync', async () => {
    const service = freshService();
    const other = openCircuits(table, plane.clock);
    expect(await attempt(other.run(service, 'acme', fine))).toBe('ok');
    await broke(service);
    plane.clock.advance(SYNC_MS);
    expect(await attempt(other.run(service, 'acme', fine))).toBe('circuit-open');
  });

  it('let one probe through over all functions, and close after two successes', async () => {
    const service = freshService();
    await broke(service);
    plane.clock.advance(OPEN_MS);
    let release: (value: string) => void = () => undefined;
    const probe = openCircuits(table, plane.clock).run(
      service,
      'acme',
      () => new Promise<string>((done) => (release = done)),
    );
    const others = [openCircuits(table, plane.clock), openCircuits(table, plane.clock)];
    await expect.poll(async () => openCircuits(table, plane.clock).state(service, 'acme')).toBe('half-open');
    for (const circuits of others)
      expect(await attempt(circuits.run(service, 'acme', fine))).toBe('circuit-open');
    release('answered');
    expect(await probe).toBe('answered');
    plane.clock.advance(30_000);
    expect(await attempt(others[0]!.run(service, 'acme', fine))).toBe('ok');
    expect(await others[1]!.state(service, 'acme')).toBe('closed');
    const listed = await table.queryAll({
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'platform#open-circuits' },
    });
    expect(listed.map((row) => row.sk)).not.toContain(`${service}#acme`);
  });

  it('open again when the probe fails', async () => {
    const service = freshService();
    const circuits = await broke(service);
    plane.clock.advance(OPEN_MS);
    expect(await attempt(circuits.run(service, 'acme', broken))).toBe('timed out');
    expect(await attempt(circuits.run(service, 'acme', fine))).toBe('circuit-open');
  });

  it('do not count a vendor that says no', async () => {
    const service = freshService();
    const circuits = openCircuits(table, plane.clock);
    for (let i = 0; i < 10; i += 1)
      await attempt(circuits.run(service, 'acme', () => Promise.reject(new Refused('no'))));
    expect(await attempt(circuits.run(service, 'acme', fine))).toBe('ok');
    expect(await table.get({ pk: 'acme#circuit', sk: service })).toBeUndefined();
  });

  it('reject without any I/O, and write nothing while all is well', async () => {
    const service = freshService();
    const circuits = await broke(service);
    const calls = plane.cloud.faults.add({
      service: 'dynamodb',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    expect(await attempt(circuits.run(service, 'acme', fine))).toBe('circuit-open');
    expect(() => circuits.check(service, 'acme')).toThrow('is failing for acme');
    expect(calls.hits).toBe(0);
    plane.cloud.faults.clear();
    const writes = plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'PutItem',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const well = openCircuits(table, plane.clock);
    for (let i = 0; i < 20; i += 1) await well.run(freshService(), 'acme', fine);
    expect(writes.hits).toBe(0);
  });

  it('let the vendor be called when their own table is out of order', async () => {
    plane.cloud.faults.add({
      service: 'dynamodb',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    const circuits = openCircuits(table, plane.clock);
    expect(await attempt(circuits.run(freshService(), 'acme', fine))).toBe('ok');
    expect(await attempt(circuits.run(freshService(), 'acme', broken))).toBe('timed out');
  });
});
