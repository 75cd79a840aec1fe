// What does CloudFormation call a resource that the template does not name?
import { createHash } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const SUFFIX_LENGTH = 12;

/** The random part, made from the names so that every deployment gives the same one. */
function suffix(stack: string, logicalId: string): string {
  const digest = createHash('sha256').update(`${stack}/${logicalId}`).digest();
  return [...digest.subarray(0, SUFFIX_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/**
 * `stack-logicalId-SUFFIX`, shortened as CloudFormation does: both names lose their ends, the suffix stays.
 * @param maxLength the service's limit (64 for roles and functions, 80 for queues, 63 for buckets).
 */
export function physicalName(stack: string, logicalId: string, maxLength: number): string {
  const room = maxLength - SUFFIX_LENGTH - 2;
  const idLength = Math.min(logicalId.length, Math.max(Math.ceil(room / 2), room - stack.length));
  return `${stack.slice(0, room - idLength)}-${logicalId.slice(0, idLength)}-${suffix(stack, logicalId)}`;
}
