// How does a task get a publisher for a tenant's ad account?
import * as z from 'zod';
import { Refused } from '../../runtime/errors.ts';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import type { Need } from '../../runtime/need.ts';
import { secretsNeed } from '../../runtime/secrets.ts';
import { behindCircuit } from '../behind-circuit.ts';
import { createMetaPublisher } from './meta.ts';
import type { Publisher } from './publisher.ts';

export interface AdAccountRef {
  tenant: string;
  /** Digits, without `act_`. From the tenant's settings, never from a request. */
  accountId: string;
  /** Secret reference from the tenant's settings, `tenants/<tenant>/meta`. */
  secret: string;
}

export interface PublisherPort {
  /**
   * Behind the tenant's circuit. Undoing asks for `evenIfFailing`: what was created must be removed also while new calls are
   * held back.
   * @throws Refused when the secret is missing or belongs to another tenant.
   */
  for(account: AdAccountRef, options?: { evenIfFailing?: boolean }): Promise<Publisher>;
}

/** The secret's JSON. */
const Credential = z.object({ accessToken: z.string().min(1) });

/** The circuit's name in metrics and `/health`. */
const SERVICE = 'meta';
const TIMEOUT_MS = 20_000;

const config = configNeed({
  metaBaseUrl: { env: 'META_BASE_URL', schema: z.url() },
  metaApiVersion: { env: 'META_API_VERSION', schema: z.string().regex(/^v\d+\.\d+$/) },
});
const secrets = secretsNeed('tenants/');

export const publisherPort: Need<PublisherPort> = {
  grants: [...config.grants, ...secrets.grants, ...circuitsNeed.grants],
  env: { ...config.env, ...secrets.env, ...circuitsNeed.env },
  open(env, context) {
    const { metaBaseUrl, metaApiVersion } = config.open(env, context);
    const vault = secrets.open(env, context);
    const circuits = circuitsNeed.open(env, context);
    return {
      async for({ tenant, accountId, secret }, { evenIfFailing = false } = {}) {
        if (!secret.startsWith(`tenants/${tenant}/`))
          throw new Refused(`The secret ${secret} does not belong to ${tenant}.`);
        const { accessToken } = await vault.read(secret, Credential);
        const publisher = createMetaPublisher({
          fetch,
          clock: context.clock,
          baseUrl: metaBaseUrl,
          version: metaApiVersion,
          accountId,
          accessToken,
          timeoutMs: TIMEOUT_MS,
        });
        return evenIfFailing ? publisher : behindCircuit(publisher, circuits, SERVICE, tenant, ['usage']);
      },
    };
  },
};
