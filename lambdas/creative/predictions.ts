// What was predicted for a variation, written down before anyone saw it?
//
// Table predictions: pk `<tenant>#prediction#<variation id>`, sk run id. The publisher adds the ad id that learning joins on.
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table } from '../runtime/table.ts';
import type { Forecast } from './types.ts';
import type * as z from 'zod';

export interface Predictions {
  /** The same run and variation is the same row. */
  write(
    tenant: string,
    runId: string,
    forecasts: readonly z.infer<typeof Forecast>[],
    nowMs: number,
  ): Promise<void>;
  /** Which ad became of the variation. */
  published(tenant: string, runId: string, variationId: string, adId: string): Promise<void>;
  /** No ad became of it (any more). Changes nothing where none was noted. */
  unpublished(tenant: string, runId: string, variationId: string): Promise<void>;
}

export const predictionsNeed: Need<Predictions> = (() => {
  const table = tableNeed('predictions', ['UpdateItem']);
  return {
    ...table,
    open: (env, context) => openPredictions(table.open(env, context)),
  } satisfies Need<Predictions>;
})();

export function openPredictions(table: Table): Predictions {
  const key = (tenant: string, runId: string, variationId: string) => ({
    pk: `${tenant}#prediction#${variationId}`,
    sk: runId,
  });
  return {
    async write(tenant, runId, forecasts, nowMs) {
      for (const forecast of forecasts) {
        await table.update({
          Key: key(tenant, runId, forecast.variationId),
          // An ad id that a publisher wrote stays.
          UpdateExpression:
            'SET forecast = :forecast, predictedAt = if_not_exists(predictedAt, :now), #source = :source, modelVersion = :version',
          ExpressionAttributeNames: { '#source': 'source' },
          ExpressionAttributeValues: {
            ':forecast': forecast,
            ':now': nowMs,
            ':source': forecast.ctr.source,
            ':version': forecast.ctr.modelVersion,
          },
        });
      }
    },
    async published(tenant, runId, variationId, adId) {
      await table.update({
        Key: key(tenant, runId, variationId),
        UpdateExpression: 'SET adId = :ad',
        ExpressionAttributeValues: { ':ad': adId },
      });
    },
    async unpublished(tenant, runId, variationId) {
      try {
        await table.update({
          Key: key(tenant, runId, variationId),
          UpdateExpression: 'REMOVE adId',
          ConditionExpression: 'attribute_exists(adId)',
        });
      } catch (error) {
        // None was noted: an update without the condition would make a row.
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}
