// How do all functions share what one of them learned about a failing vendor?
//
// Table circuits. pk `<tenant>#circuit`, sk the service: state, version. pk `platform#open-circuits`, sk `<service>#<tenant>`:
// those that are not closed, for health.
import { CLOSED, outcomeOf, permission, probing, recorded, stateValue, type Circuit } from './circuit.ts';
import type { Clock } from './clock.ts';
import { Conflict, RateLimited, Unavailable } from './errors.ts';
import { emitMetric } from './metrics.ts';
import type { Need } from './need.ts';
import { tableNeed, type Table } from './table.ts';

/** How long a closed circuit is believed without asking; outcomes of that time are written together. */
export const SYNC_MS = 5_000;
/** An open circuit's state is said again this often, so that an alarm keeps seeing it. */
const REPEAT_MS = 60_000;
const WRITE_ATTEMPTS = 5;
/** A vendor that is not called for a day is forgotten. */
const RETENTION_SECONDS = 86_400;

export interface Circuits {
  /**
   * Runs the call unless the tenant's circuit for the service is open. An open circuit known in memory rejects without any I/O.
   * @throws Unavailable with vendorCode `circuit-open`; otherwise what the call throws.
   */
  run<T>(service: string, tenant: string, call: () => Promise<T>): Promise<T>;
  /** Throws when the circuit is known to be open; no I/O. */
  check(service: string, tenant: string): void;
  state(service: string, tenant: string): Promise<Circuit['status']>;
}

interface Cached {
  circuit: Circuit;
  /** 0: no row yet. */
  version: number;
  readAt: number;
  /** Calls not yet written. */
  calls: number;
  saidAt: number;
  refusal?: { until: number; error: Unavailable };
}

const table = tableNeed('circuits', ['GetItem', 'PutItem', 'DeleteItem']);

export const circuitsNeed: Need<Circuits> = {
  ...table,
  open: (env, context) => openCircuits(table.open(env, context), context.clock),
};

export function openCircuits(store: Pick<Table, 'get' | 'put' | 'delete'>, clock: Clock): Circuits {
  const cache = new Map<string, Cached>();
  const keyOf = (service: string, tenant: string) => ({ pk: `${tenant}#circuit`, sk: service });

  async function read(service: string, tenant: string): Promise<Cached> {
    const row = await store.get(keyOf(service, tenant));
    const id = `${tenant}#${service}`;
    const known = cache.get(id);
    const cached: Cached = {
      circuit: row === undefined ? CLOSED : (JSON.parse(String(row['state'])) as Circuit),
      version: Number(row?.['version'] ?? 0),
      readAt: clock.now(),
      calls: known?.calls ?? 0,
      saidAt: known?.saidAt ?? 0,
    };
    cache.set(id, cached);
    return cached;
  }

  /** Applies a change to the shared row; another function's write in between means reading again. */
  async function change(
    service: string,
    tenant: string,
    from: Cached,
    next: (circuit: Circuit) => Circuit | undefined,
  ): Promise<Cached | undefined> {
    let current = from;
    for (let attempt = 1; ; attempt += 1) {
      const circuit = next(current.circuit);
      if (circuit === undefined) return undefined;
      if (circuit === current.circuit) return current;
      try {
        await write(service, tenant, current, circuit);
        return Object.assign(current, { circuit, version: current.version + 1, readAt: clock.now() });
      } catch (error) {
        if (!(error instanceof Conflict) || attempt === WRITE_ATTEMPTS) throw error;
        current = await read(service, tenant);
      }
    }
  }

  async function write(service: string, tenant: string, before: Cached, circuit: Circuit): Promise<void> {
    const expiresAt = Math.floor(clock.now() / 1000) + RETENTION_SECONDS;
    await store.put({
      Item: {
        ...keyOf(service, tenant),
        state: JSON.stringify(circuit),
        version: before.version + 1,
        expiresAt,
      },
      ConditionExpression: before.version === 0 ? 'attribute_not_exists(pk)' : 'version = :version',
      ...(before.version === 0 ? {} : { ExpressionAttributeValues: { ':version': before.version } }),
    });
    if (circuit.status === before.circuit.status) return;
    before.saidAt = clock.now();
    emitMetric('circuit_breaker_state', stateValue(circuit), { service });
    const listed = { pk: 'platform#open-circuits', sk: `${service}#${tenant}` };
    if (circuit.status === 'closed') await store.delete({ Key: listed });
    else
      await store.put({
        Item: { ...listed, service, status: circuit.status, since: clock.now(), expiresAt },
      });
  }

  function refuse(service: string, tenant: string, cached: Cached, until: number): never {
    const now = clock.now();
    if (now - cached.saidAt >= REPEAT_MS) {
      cached.saidAt = now;
      emitMetric('circuit_breaker_state', stateValue(cached.circuit), { service });
    }
    if (cached.refusal?.until !== until) {
      const message = `${service} is failing for ${tenant}; the next attempt is at ${new Date(until).toISOString()}.`;
      cached.refusal = { until, error: new Unavailable(message, { vendorCode: 'circuit-open' }) };
    }
    throw cached.refusal.error;
  }

  function check(service: string, tenant: string): void {
    const cached = cache.get(`${tenant}#${service}`);
    if (cached === undefined || cached.circuit.status === 'closed') return;
    const allowed = permission(cached.circuit, clock.now());
    if (typeof allowed !== 'string') refuse(service, tenant, cached, allowed.rejectUntil);
  }

  /** Reads what is stale, and claims the probe when one is due. */
  async function admit(service: string, tenant: string): Promise<Cached> {
    const known = cache.get(`${tenant}#${service}`);
    const fresh =
      known !== undefined && known.circuit.status === 'closed' && clock.now() - known.readAt < SYNC_MS;
    const cached = fresh ? known : await read(service, tenant);
    const allowed = permission(cached.circuit, clock.now());
    if (allowed === 'call') return cached;
    if (allowed !== 'probe') return refuse(service, tenant, cached, allowed.rejectUntil);
    const claimed = await change(service, tenant, cached, (circuit) =>
      permission(circuit, clock.now()) === 'probe' ? probing(circuit, clock.now()) : undefined,
    );
    if (claimed !== undefined) return claimed;
    check(service, tenant);
    return cache.get(`${tenant}#${service}`) ?? cached;
  }

  async function record(service: string, tenant: string, cached: Cached, failures: number): Promise<void> {
    cached.calls += 1;
    const halfOpen = cached.circuit.status === 'half-open';
    const due = cached.version > 0 && hasFailures(cached.circuit) && clock.now() - cached.readAt >= SYNC_MS;
    // While all is well nothing is written: successes wait in memory until a failure makes them matter.
    if (failures === 0 && !halfOpen && !due) return;
    const calls = halfOpen ? 1 : cached.calls;
    cached.calls = 0;
    await change(service, tenant, cached, (circuit) => recorded(circuit, { calls, failures }, clock.now()));
    if (failures > 0) emitMetric('circuit_breaker_failures_total', failures, { service });
  }

  return {
    check,
    async run(service, tenant, call) {
      check(service, tenant);
      // The breaker's own table must not make a healthy vendor unreachable.
      const cached = await admit(service, tenant).catch((error: unknown) => {
        if (isOutage(error)) return undefined;
        throw error;
      });
      try {
        const result = await call();
        if (cached !== undefined) await record(service, tenant, cached, 0).catch(ignoreOutage);
        return result;
      } catch (error) {
        const failures = outcomeOf(error) === 'failure' ? 1 : 0;
        if (cached !== undefined) await record(service, tenant, cached, failures).catch(ignoreOutage);
        throw error;
      }
    },
    async state(service, tenant) {
      return (await read(service, tenant)).circuit.status;
    },
  };
}

function hasFailures(circuit: Circuit): boolean {
  return circuit.status === 'closed' && circuit.slots.some((slot) => slot.failures > 0);
}

function isOutage(error: unknown): boolean {
  if (error instanceof Conflict || error instanceof RateLimited) return true;
  return error instanceof Unavailable && error.vendorCode !== 'circuit-open';
}

/** An outcome that could not be shared is lost; the next one counts. */
function ignoreOutage(error: unknown): void {
  if (!isOutage(error)) throw error;
}
