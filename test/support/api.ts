// How does a test speak to the HTTP API as one of a tenant's people?
import type { Role } from '../../lambdas/runtime/specs.ts';
import type { World } from '../../lib/laptop/world.ts';

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export interface AskOptions {
  role?: Role;
  tenant?: string;
  subject?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Sends one request, moving virtual time on while it is answered. */
export async function ask(
  world: World,
  call: `${string} ${string}`,
  options: AskOptions = {},
): Promise<ApiAnswer> {
  const [method = '', path = ''] = call.split(' ');
  const { role = 'operator', tenant = 'demo', subject = 'pat', headers = {}, body } = options;
  const token = await world.issuer.sign({ tenant, role, subject });
  let answered = false;
  const answer = fetch(`${world.cloud.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
    .then(async (response) => ({
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    }))
    .finally(() => (answered = true));
  await Promise.all([answer, world.cloud.until(() => answered)]);
  return answer;
}
