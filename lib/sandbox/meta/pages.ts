// How does the simulated Graph API turn pages?
import type { SandboxReply } from '../vendor.ts';
import { invalidParameter } from './errors.ts';
import { text, type Params } from './wire.ts';

const DEFAULT_PAGE = 25;
const LARGEST_PAGE = 500;

/**
 * One page of an edge. Items come newest first and their ids, decimal numbers, only grow: a page starts below the last id of
 * the one before, whatever was deleted or added meanwhile. `next` is a whole URL with the token in it, as the live API gives it.
 * @throws GraphError 100 for a limit outside 1 to 500.
 */
export function pageOf<T extends { id: string }>(
  items: readonly T[],
  params: Params,
  edgeUrl: string,
  token: string,
  read: (item: T) => Record<string, unknown>,
): SandboxReply {
  const limit = Number(text(params, 'limit') ?? DEFAULT_PAGE);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LARGEST_PAGE)
    throw invalidParameter(`limit must be between 1 and ${LARGEST_PAGE}.`);
  const after = text(params, 'after');
  const rest = after === undefined ? items : below(items, Buffer.from(after, 'base64url').toString());
  const shown = rest.slice(0, limit);
  const cursor = (item: T | undefined): string => Buffer.from(item?.id ?? '').toString('base64url');
  const next = `${edgeUrl}?access_token=${encodeURIComponent(token)}&limit=${limit}&after=${cursor(shown.at(-1))}`;
  return {
    status: 200,
    body: {
      data: shown.map(read),
      ...(shown.length === 0
        ? {}
        : {
            paging: {
              cursors: { before: cursor(shown[0]), after: cursor(shown.at(-1)) },
              ...(rest.length > limit ? { next } : {}),
            },
          }),
    },
  };
}

/** Items whose id is smaller, found by halving. */
function below<T extends { id: string }>(items: readonly T[], id: string): readonly T[] {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (BigInt((items[middle] as T).id) < BigInt(id)) high = middle;
    else low = middle + 1;
  }
  return items.slice(low);
}
