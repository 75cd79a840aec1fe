// What event does a payload carry?
import { AwsError, type Json } from '../types.ts';

/** The event in a payload. @throws AwsError for one too large or no JSON */
export function parsePayload(payload: Buffer | string | null | undefined, limitBytes: number): Json {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : (payload ?? Buffer.alloc(0));
  if (bytes.length > limitBytes) {
    throw new AwsError(
      'RequestTooLargeException',
      `${bytes.length} byte payload is too large for the RequestResponse invocation type (limit ${limitBytes} bytes)`,
      413,
    );
  }
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
