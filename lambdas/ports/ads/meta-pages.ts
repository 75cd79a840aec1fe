// How is a whole list of Meta's read, page by page?
import * as z from 'zod';
import { Refused } from '../../runtime/errors.ts';
import { shaped } from '../shaped.ts';
import type { Graph, Params } from './meta-graph.ts';

const Paging = z.object({ next: z.string().optional() }).optional();

const PAGE_SIZE = 250;
/** Pages may be empty and still have a next one. */
const MOST_PAGES = 400;

export interface Listing<T extends z.ZodType> {
  /** Names the call in messages: `list adsets`. */
  what: string;
  path: string;
  params: Params;
  row: T;
  /** More rows than this are not read. */
  mostRows: number;
}

/**
 * Every row, in the vendor's order. `paging.next` has the token in its URL, so that only its other parameters are followed.
 * @throws Refused above `mostRows`; as the calls do.
 */
export async function readAll<T extends z.ZodType>(
  graph: Graph,
  { what, path, params, row, mostRows }: Listing<T>,
): Promise<z.output<T>[]> {
  const Page = z.object({ data: z.array(row), paging: Paging });
  const rows: z.output<T>[] = [];
  let asked: Params = { limit: PAGE_SIZE, ...params };
  for (let turned = 0; turned < MOST_PAGES; turned += 1) {
    const page = shaped(Page, await graph.call(what, 'GET', path, asked), `Meta: ${what}`);
    rows.push(...page.data);
    if (rows.length > mostRows) break;
    const next = page.paging?.next;
    if (next === undefined) return rows;
    asked = { ...asked, ...parametersOf(next, what) };
  }
  throw new Refused(
    `Meta: ${what}: there are more than ${mostRows} entries, which is more than can be read.`,
  );
}

function parametersOf(next: string, what: string): Params {
  const parameters = Object.fromEntries(shaped(NextUrl, next, `Meta: ${what}`).searchParams);
  delete parameters['access_token'];
  return parameters;
}

const NextUrl = z.url().transform((text) => new URL(text));
