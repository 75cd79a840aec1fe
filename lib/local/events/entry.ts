// Is an entry of PutEvents good, and how large is it?
import { ACCOUNT, REGION, type CallContext, type Json } from '../types.ts';

export const busArn = (name: string): string => `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/${name}`;
export const busName = (reference: Json): string =>
  String(reference ?? 'default')
    .split('/')
    .at(-1) ?? 'default';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html */
export const entryBytes = (entry: Json): number =>
  (entry.Time === undefined ? 0 : 14) +
  [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])].reduce(
    (sum: number, part: unknown) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 0),
    0,
  );

export const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** An entry's time, or now. */
export function entryTime(time: Json, nowMs: number): string {
  if (time === undefined) return isoSeconds(nowMs);
  return isoSeconds(typeof time === 'number' ? time * 1000 : Date.parse(String(time)));
}

/** The entry's error, or undefined when it is good. */
export function refusal(
  entry: Json,
  caller: CallContext,
  busExists: (name: string) => boolean,
): { ErrorCode: string; ErrorMessage: string } | undefined {
  for (const field of ['Source', 'DetailType', 'Detail']) {
    if (typeof entry[field] !== 'string' || entry[field] === '') {
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${field} is not valid. Reason: ${field} is a required argument.`,
      };
    }
  }
  if (entry.Source.startsWith('aws.') && caller.principal.kind !== 'service') {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  if (!busExists(busName(entry.EventBusName))) {
    return {
      ErrorCode: 'ResourceNotFoundException',
      ErrorMessage: `Event bus ${busName(entry.EventBusName)} does not exist.`,
    };
  }
  try {
    const detail: unknown = JSON.parse(entry.Detail);
    if (typeof detail === 'object' && detail !== null && !Array.isArray(detail)) return undefined;
  } catch {
    // Answered below, like any other detail that is no object.
  }
  return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}
