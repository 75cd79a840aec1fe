// How does a test speak to the API of changes, over real tables and a simulated ad account?
import { afterAll, afterEach, beforeAll } from 'vitest';
import { routes } from '../../lambdas/changes/changes.routes.ts';
import { openChanges, type Changes } from '../../lambdas/changes/changes.ts';
import type { Change } from '../../lambdas/changes/change.ts';
import { openHistory } from '../../lambdas/changes/history.ts';
import { openKillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { openLeases, type Leases } from '../../lambdas/changes/leases.ts';
import { openLocks } from '../../lambdas/changes/locks.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import { conclude } from '../../lambdas/changes/conclusion.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import type { Role } from '../../lambdas/runtime/specs.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import type { TableName } from '../../lambdas/runtime/tables.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { startSandbox, type Sandbox } from '../../lib/sandbox/sandbox.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';
import { startDataPlane, type DataPlane } from '../runtime/data-plane.ts';
import { connected, vendors } from '../support/connections.ts';

// oxlint-disable-next-line typescript/no-explicit-any
type Body = any;

export interface Asked {
  role?: Role;
  tenant?: string;
  subject?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface ChangesApi {
  plane: DataPlane;
  sandbox: Sandbox;
  changes: Changes;
  leases: Leases;
  table(name: TableName): Table;
  /** `GET /v1/changes?status=HELD`; a problem's status, path and detail like any other answer. */
  ask(call: string, asked?: Asked): Promise<{ status: number; type: string; body: Body }>;
  /** Connects the sandbox's account, or the ones given. */
  connect(tenant: string, settings?: Record<string, unknown>): Promise<void>;
  /** As an execution that wrote the value to the platform, with every move of its lease; `at` is when. */
  apply(tenant: string, id: string): Promise<Change>;
  /** Every item of a tenant's partition of the table changes. */
  stored(tenant: string): Promise<readonly Record<string, unknown>[]>;
  audited(tenant: string): Promise<{ action: string; actor: string; subject: string }[]>;
}

export const ACCOUNT = DEFAULT_ACCOUNT.id;

export function useChangesApi(): ChangesApi {
  const api = {} as ChangesApi;
  let output: OutputLines;
  let opened: Record<string, unknown> = {};

  beforeAll(async () => {
    output = captureOutput();
    const plane = await startDataPlane();
    api.plane = plane;
    api.sandbox = await startSandbox({ now: plane.clock.now, random: () => 0.5 });
    const env = { ...plane.env, ...vendors(api.sandbox) };
    opened = {
      ...Object.fromEntries(
        Object.entries(routes.needs).map(([name, need]) => [
          name,
          need.open(env, { clock: plane.clock }) as unknown,
        ]),
      ),
      clock: plane.clock,
    };
    api.changes = openChanges(api.table('changes'));
    api.leases = openLeases({
      changes: api.changes,
      switches: openKillSwitches(api.table('changes')),
      history: openHistory(api.table('history')),
      locks: openLocks(api.table('limits')),
      audit: api.table('audit').name,
    });
  });
  afterEach(() => {
    api.plane.cloud.faults.clear();
    api.sandbox.reset();
    // Circuits that a test opened have closed again.
    api.plane.clock.advance(86_400_000);
  });
  afterAll(async () => {
    output.stop();
    await api.sandbox.close();
    await api.plane.cloud.close();
  });

  api.table = (name) => api.plane.open(tableNeed(name, 'transact'));
  api.ask = async (
    call,
    { role = 'operator', tenant = 'demo', subject = 'pat', headers = {}, body } = {},
  ) => {
    const [method = '', address = ''] = call.split(' ');
    const [path = '', query = ''] = address.split('?');
    const { route, params } = routed(method, path);
    const event = {
      routeKey: `${method} ${route}`,
      rawQueryString: query,
      headers,
      pathParameters: params,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      requestContext: {
        requestId: 'test',
        authorizer: { jwt: { claims: { 'custom:tenant': tenant, role, sub: subject } } },
      },
    };
    const answer = await routes.answer(event, opened as unknown as Parameters<typeof routes.answer>[1]);
    return {
      status: answer.statusCode,
      type: answer.headers['content-type'] ?? '',
      body: JSON.parse(answer.body) as unknown,
    };
  };
  api.connect = async (tenant, settings = {}) => {
    const { cloud } = api.plane;
    const secret = JSON.stringify({ accessToken: DEFAULT_ACCOUNT.tokens[0] });
    await cloud.call('secretsmanager', 'CreateSecret', {
      Name: `impresario/tenants/${tenant}/meta`,
      SecretString: secret,
    });
    await api.table('settings').put({
      Item: {
        pk: `${tenant}#settings`,
        sk: 'current',
        version: 1,
        settings: Settings.parse({ ...connected(tenant), ...settings }),
      },
    });
  };
  api.apply = async (tenant, id) => {
    const { clock } = api.plane;
    const waiting = await api.changes.get(tenant, id);
    if (waiting === undefined) throw new Error(`There is no change ${id}.`);
    const lease = await api.leases.dispatch(waiting, clock.now());
    if (lease === undefined) throw new Error(`${id} is not due.`);
    const claim = await api.leases.claim(tenant, id, { lease, holder: `${id}-${lease}` }, clock.now());
    if (!claim.claimed) throw new Error(claim.reason);
    const { from: before, to: applied } = claim.change;
    const intent = { lease, at: clock.now(), before, applied, tries: 1 };
    await api.leases.begin(claim.change, lease, intent, { accountId: claim.change.accountId }, clock.now());
    const verdict: Verdict = { decision: 'applied', before, applied, executedAt: clock.now() };
    const { result, ...step } = conclude(verdict, 'live');
    await api.leases.finish(
      claim.change,
      lease,
      { step, actor: 'test', ...(result === undefined ? {} : { set: { result } }) },
      clock.now(),
    );
    await Promise.all(claim.change.undoes.map((other) => api.changes.markUndone(tenant, other, id)));
    const done = await api.changes.get(tenant, id);
    if (done === undefined) throw new Error(`${id} is gone.`);
    return done;
  };
  api.stored = (tenant) =>
    api.table('changes').queryAll({
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `${tenant}#change` },
    });
  api.audited = async (tenant) => {
    const rows = await api.table('audit').queryAll({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :record)',
      ExpressionAttributeValues: { ':pk': `${tenant}#audit`, ':record': 'record#' },
    });
    return rows.map(({ action, actor, subject }) => ({
      action: String(action),
      actor: String(actor),
      subject: String(subject),
    }));
  };
  return api;
}

/** As the gateway matches: `/v1/changes/chg-…` → `/v1/changes/{id}` with its id. */
function routed(method: string, path: string): { route: string; params: Record<string, string> } {
  const parts = path.split('/');
  for (const route of routes.routes) {
    const pattern = route.path.split('/');
    const fits =
      pattern.length === parts.length &&
      pattern.every((part, i) => part.startsWith('{') || part === parts[i]);
    if (route.method !== method || !fits) continue;
    const params = pattern.flatMap((part, i) =>
      part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(parts[i] ?? '')]] : [],
    );
    return { route: route.path, params: Object.fromEntries(params) as Record<string, string> };
  }
  return { route: path, params: {} };
}
