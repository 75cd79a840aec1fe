// How is a live ad of Meta's changed?
import * as z from 'zod';
import { InvalidInput } from '../../runtime/errors.ts';
import { shaped } from '../shaped.ts';
import type { AdsWriter, LivePatch, LiveRef } from './live-ads.ts';
import { createGraph, type MetaOptions, type Params } from './meta-graph.ts';
import { readThrough } from './meta-live.ts';
import { toMeta } from './meta-money.ts';
import type { Money } from './publisher.ts';

const Success = z.object({ success: z.literal(true) });

/** A reader and writer of one ad account: the only code that changes what is live. */
export function createMetaWriter(options: MetaOptions): AdsWriter {
  const graph = createGraph(options);
  const { reader, currency } = readThrough(graph, options);
  return {
    ...reader,
    async update(ref, patch, { validateOnly = false } = {}) {
      refuseStrangers(ref, patch);
      const params = paramsOf(patch, await currencyFor(patch, currency));
      const what = `${validateOnly ? 'validate' : 'update'} ${ref.kind}`;
      const { json, traceId } = await graph.ask(what, 'POST', ref.id, {
        ...params,
        ...(validateOnly ? { execution_options: ['validate_only'] } : {}),
      });
      shaped(Success, json, `Meta: ${what}`);
      return { responseId: traceId };
    },
  };
}

/** @throws InvalidInput before anything is asked: Meta would take some of these for another object or another field. */
function refuseStrangers({ kind, id }: LiveRef, patch: LivePatch): void {
  if (!/^\d+$/.test(id)) throw new InvalidInput(`${id} is not the id of a ${kind}.`, { path: 'entity.id' });
  if ('dailyBudget' in patch && kind === 'ad')
    throw new InvalidInput('An ad has no budget of its own.', { path: 'entity.kind' });
  if ('bid' in patch && kind !== 'adset')
    throw new InvalidInput('A bid is set on an ad set.', { path: 'entity.kind' });
}

async function currencyFor(patch: LivePatch, currency: () => Promise<string>): Promise<string> {
  return 'status' in patch ? '' : currency();
}

function paramsOf(patch: LivePatch, currency: string): Params {
  if ('status' in patch) return { status: patch.status };
  return 'dailyBudget' in patch
    ? { daily_budget: units(patch.dailyBudget, currency, 'dailyBudget') }
    : { bid_amount: units(patch.bid, currency, 'bid') };
}

/** @throws InvalidInput for another currency than the account's: Meta takes the number and knows no currency. */
function units(money: Money, currency: string, path: string): number {
  if (money.currency !== currency)
    throw new InvalidInput(`The account counts in ${currency} and not in ${money.currency}.`, { path });
  return toMeta(money, path);
}
