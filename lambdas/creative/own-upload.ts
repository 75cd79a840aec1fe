// Where are a tenant's uploads, and does this object belong to the tenant whose run asks for it?
import { InvalidInput } from '../runtime/errors.ts';

/** First of the key, so that one lifecycle rule takes away what no run has use for. */
export function uploadsOf(tenant: string): string {
  return `uploads/${tenant}/`;
}

/**
 * The key as it is: those in a request were written by a client, and a function may read every tenant's uploads.
 * @param path the request's field, for the message.
 * @throws InvalidInput unless the key is below `uploads/<tenant>/`.
 */
export function ownUpload(tenant: string, key: string, path: string): string {
  if (!key.startsWith(uploadsOf(tenant)))
    throw new InvalidInput('The upload belongs to another tenant.', { path });
  return key;
}
