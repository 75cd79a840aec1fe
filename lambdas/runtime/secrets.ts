// Which credential does this vendor call use?
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type * as z from 'zod';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { Refused } from './errors.ts';
import type { Need } from './need.ts';

/** A rotated secret is noticed after this long. */
const CACHE_MS = 300_000;

export interface Secrets {
  /**
   * `tenants/acme/meta` → the parsed JSON of the secret `impresario/tenants/acme/meta`. Cached for five minutes; values
   * never appear in messages or logs.
   * @throws Refused when there is no such secret or it has another shape (a connection is not set up, which no retry mends).
   */
  read<T extends z.ZodType>(reference: string, schema: T): Promise<z.output<T>>;
  /** The next read asks again: for credentials that the vendor just rejected. */
  forget(reference: string): void;
}

/** Secrets below `impresario/<prefix>`. */
export function secretsNeed(prefix: string): Need<Secrets> {
  return {
    grants: [{ actions: ['secretsmanager:GetSecretValue'], on: { kind: 'secret', prefix } }],
    env: {},
    open(env, { clock }) {
      const client = sharedClient(
        env,
        'secrets',
        () => new SecretsManagerClient(awsClientConfig(env, 'SECRETS_MANAGER')),
      );
      const cache = new Map<string, { value: unknown; until: number }>();
      return {
        async read(reference, schema) {
          if (!reference.startsWith(prefix))
            throw new Refused(`The secret ${reference} is outside ${prefix}.`);
          const cached = cache.get(reference);
          const value =
            cached !== undefined && cached.until > clock.now()
              ? cached.value
              : await fetchSecret(client, reference);
          const parsed = schema.safeParse(value);
          if (!parsed.success) {
            const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
            throw new Refused(`The secret ${reference} does not have the expected fields (${fields}).`);
          }
          if (value !== cached?.value) cache.set(reference, { value, until: clock.now() + CACHE_MS });
          return parsed.data;
        },
        forget(reference) {
          cache.delete(reference);
        },
      };
    },
  };
}

async function fetchSecret(client: SecretsManagerClient, reference: string): Promise<unknown> {
  const command = new GetSecretValueCommand({ SecretId: `impresario/${reference}` });
  try {
    const { SecretString: text } = await awsCall(`GetSecretValue of ${reference}`, () =>
      client.send(command),
    );
    if (text === undefined) throw new Refused(`The secret ${reference} is binary; it must be JSON.`);
    return parseQuietly(text, reference);
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') {
      throw new Refused(`There is no secret ${reference}: the connection is not set up.`, { cause: error });
    }
    throw error;
  }
}

// JSON.parse quotes what it could not read; a secret must not get into a message.
function parseQuietly(text: string, reference: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refused(`The secret ${reference} is not JSON.`);
  }
}
