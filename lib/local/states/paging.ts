// Which page of a list is asked for?
import { AwsError, type Json } from '../types.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

export interface Page {
  from: number;
  count: number;
}

/** `maxResults` (0 or absent: 100) and `nextToken` of a list request. @throws AwsError InvalidToken */
export function pageOf(input: Json): Page {
  const asked = input.maxResults || DEFAULT_PAGE;
  if (!Number.isInteger(asked) || asked < 0 || asked > MAX_PAGE)
    throw new AwsError('ValidationException', `maxResults must be between 0 and ${MAX_PAGE}`);
  if (input.nextToken === undefined) return { from: 0, count: asked };
  const from = Number(Buffer.from(String(input.nextToken), 'base64url').toString());
  if (!Number.isInteger(from) || from <= 0) throw new AwsError('InvalidToken', 'Invalid Token');
  return { from, count: asked };
}

/** `{ nextToken }` when more than the page remains. */
export function nextOf({ from, count }: Page, total: number): { nextToken?: string } {
  return from + count < total ? { nextToken: Buffer.from(String(from + count)).toString('base64url') } : {};
}
