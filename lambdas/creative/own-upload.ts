// Does this object belong to the tenant whose run asks for it?
import { InvalidInput } from '../runtime/errors.ts';

/**
 * The key as it is: those in a request were written by a client, and a function may read every tenant's uploads.
 * @param path the request's field, for the message.
 * @throws InvalidInput unless the key is below `<tenant>/uploads/`.
 */
export function ownUpload(tenant: string, key: string, path: string): string {
  if (!key.startsWith(`${tenant}/uploads/`))
    throw new InvalidInput('The upload belongs to another tenant.', { path });
  return key;
}
