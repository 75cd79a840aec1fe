// How does a task get a tenant's connected drive?
import * as z from 'zod';
import { circuitsNeed } from '../../runtime/circuits.ts';
import { configNeed } from '../../runtime/config.ts';
import { Refused } from '../../runtime/errors.ts';
import type { Need } from '../../runtime/need.ts';
import { secretsNeed } from '../../runtime/secrets.ts';
import { behindCircuit } from '../behind-circuit.ts';
import type { Drive } from './drive.ts';
import { createGoogleDrive } from './google.ts';
import { GoogleCredential } from './google-token.ts';

export interface DrivePort {
  /** Behind the tenant's circuit. `secret` is the reference in the tenant's settings, `tenants/<tenant>/drive`. @throws Refused when it is missing or another tenant's. */
  for(connection: { tenant: string; secret: string }): Promise<Drive>;
}

/** The circuit's name in metrics and `/health`. */
const SERVICE = 'drive';
const TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;

const config = configNeed({ driveBaseUrl: { env: 'DRIVE_BASE_URL', schema: z.url() } });
const secrets = secretsNeed('tenants/');

export const drivePort: Need<DrivePort> = {
  grants: [...config.grants, ...secrets.grants, ...circuitsNeed.grants],
  env: { ...config.env, ...secrets.env, ...circuitsNeed.env },
  open(env, context) {
    const { driveBaseUrl } = config.open(env, context);
    const vault = secrets.open(env, context);
    const circuits = circuitsNeed.open(env, context);
    return {
      async for({ tenant, secret }) {
        if (!secret.startsWith(`tenants/${tenant}/`))
          throw new Refused(`The secret ${secret} does not belong to ${tenant}.`);
        const drive = createGoogleDrive({
          fetch,
          clock: context.clock,
          baseUrl: driveBaseUrl,
          credential: await vault.read(secret, GoogleCredential),
          timeoutMs: TIMEOUT_MS,
          idleTimeoutMs: IDLE_TIMEOUT_MS,
        });
        return behindCircuit(drive, circuits, SERVICE, tenant);
      },
    };
  },
};
