// How does a port reach a tenant's ad account?
import * as z from 'zod';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import { Refused } from '../../runtime/errors.ts';
import type { Need } from '../../runtime/need.ts';
import { secretsNeed, type Secrets } from '../../runtime/secrets.ts';
import { behindCircuit } from '../behind-circuit.ts';
import { NO_CREDENTIAL } from './meta-errors.ts';
import { refusalOf } from './refusals.ts';
import type { MetaOptions } from './meta-graph.ts';

export interface AdAccountRef {
  tenant: string;
  /** Digits, without `act_`. From the tenant's settings, never from a request. */
  accountId: string;
  /** Secret reference from the tenant's settings, `tenants/<tenant>/meta`. */
  secret: string;
}

export interface AccountPort<T> {
  /**
   * Behind the tenant's circuit. Undoing asks for `evenIfFailing`: what was created must be removed also while new calls are
   * held back.
   * @throws Refused when the secret is missing or belongs to another tenant.
   */
  for(account: AdAccountRef, options?: { evenIfFailing?: boolean }): Promise<T>;
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

/** A need for whatever `make` makes of a connection; its `usage` makes no call. */
export function accountPort<T extends { usage(): unknown }>(
  make: (options: MetaOptions) => T,
): Need<AccountPort<T>> {
  return {
    grants: [...config.grants, ...secrets.grants, ...circuitsNeed.grants],
    env: { ...config.env, ...secrets.env, ...circuitsNeed.env },
    open(env, context) {
      const { metaBaseUrl, metaApiVersion } = config.open(env, context);
      const vault = secrets.open(env, context);
      const circuits = circuitsNeed.open(env, context);
      return {
        async for(account, { evenIfFailing = false } = {}) {
          const accessToken = await tokenOf(vault, account);
          const port = make({
            fetch,
            clock: context.clock,
            baseUrl: metaBaseUrl,
            version: metaApiVersion,
            accountId: account.accountId,
            accessToken,
            timeoutMs: TIMEOUT_MS,
          });
          const forgetful = onCredentialRefused(port, () => vault.forget(account.secret));
          return evenIfFailing
            ? forgetful
            : behindCircuit(forgetful, circuits, SERVICE, account.tenant, ['usage']);
        },
      };
    },
  };
}

/** A token that the platform no longer takes is read anew next time: somebody may have connected the account again. */
function onCredentialRefused<T extends object>(port: T, forget: () => void): T {
  return new Proxy(port, {
    get(target, name, receiver): unknown {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function' || name === 'usage') return member;
      return async (...parameters: unknown[]) => {
        try {
          return (await Reflect.apply(member, target, parameters)) as unknown;
        } catch (error) {
          if (refusalOf(error) === 'credential') forget();
          throw error;
        }
      };
    },
  });
}

/** @throws Refused with the vendor code of a missing credential, so that it is told apart from what the platform refuses. */
async function tokenOf(vault: Secrets, { tenant, secret }: AdAccountRef): Promise<string> {
  if (!secret.startsWith(`tenants/${tenant}/`)) {
    throw new Refused(`The secret ${secret} does not belong to ${tenant}.`, { vendorCode: NO_CREDENTIAL });
  }
  try {
    return (await vault.read(secret, Credential)).accessToken;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(error.message, { vendorCode: NO_CREDENTIAL, cause: error });
  }
}
