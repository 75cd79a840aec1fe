// What is remembered about a tenant's videos, reviews and experiments?
//
// Table creatives.
//   pk `<tenant>#review`      sk run id       a question to a person: task token, plan, verdicts, until when
//   pk `<tenant>#experiment`  sk run id       the variations that were published together, with their ad ids
//   pk `<tenant>#drive`       sk `changes`    up to where the changes of the tenant's Drive were seen
//   pk `<tenant>#outcome`     sk run id       what a run made: winners, files, ids (small; details are objects in S3)
import * as z from 'zod';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type TableAction, type Table, type TransactAction } from '../runtime/table.ts';
import { Conflict } from '../runtime/errors.ts';
import { Experiment } from './experiment.ts';
import { hashOf } from '../runtime/canonical.ts';
import { BattlePlan, Verdict, VariationId } from './types.ts';

export const ReviewDecision = z.object({
  approved: z.array(VariationId).max(10),
  rejected: z.array(VariationId).max(10),
  actor: z.string().min(1).max(200),
  comment: z.string().max(2000).default(''),
  /** What was said of single variations, by id. */
  comments: z.record(z.string(), z.string().max(2000)).default({}),
});
export type ReviewDecision = z.infer<typeof ReviewDecision>;

export const Review = z.object({
  runId: z.string(),
  /** Step Functions task token; never leaves the server. */
  token: z.string(),
  reasons: z.array(z.string()),
  /** Epoch milliseconds after which silence is a rejection. */
  until: z.number().int(),
  status: z.enum(['open', 'answered']),
  plan: BattlePlan,
  /** Of `plan`: an answer counts for exactly what was asked. */
  planHash: z.string(),
  verdicts: z.array(Verdict),
  decision: ReviewDecision.optional(),
});
export type Review = z.infer<typeof Review>;

export interface Creatives {
  /** Stored before anyone is asked; a repeat (retry, redrive) replaces the token. */
  openReview(tenant: string, review: Omit<Review, 'status' | 'decision' | 'planHash'>): Promise<void>;
  review(tenant: string, runId: string): Promise<Review | undefined>;
  /** One answer counts, and `alongside` (its audit record) is written with it or not at all. @throws Conflict when it was answered before or is over. */
  answerReview(
    tenant: string,
    review: Pick<Review, 'runId' | 'token'>,
    decision: ReviewDecision,
    nowMs: number,
    alongside?: readonly TransactAction[],
  ): Promise<void>;
  /** The write that records an experiment, for the transaction that queues its go-live. */
  recording(experiment: Experiment): TransactAction;
  removing(tenant: string, runId: string): TransactAction;
  experiment(tenant: string, runId: string): Promise<Experiment | undefined>;
  /** The page token up to which the tenant's Drive was seen; undefined before the first look. */
  driveToken(tenant: string): Promise<string | undefined>;
  /** @throws Conflict when another sweep has moved it from `from`. */
  moveDriveToken(tenant: string, from: string | undefined, to: string, nowMs: number): Promise<void>;
}

export function creativesNeed(...actions: readonly TableAction[]): Need<Creatives> {
  const table = tableNeed('creatives', actions);
  return { ...table, open: (env, context) => openCreatives(table.open(env, context)) };
}

export function openCreatives(table: Table): Creatives {
  const reviewKey = (tenant: string, runId: string) => ({ pk: `${tenant}#review`, sk: runId });
  const driveKey = (tenant: string) => ({ pk: `${tenant}#drive`, sk: 'changes' });
  const experimentKey = (tenant: string, runId: string) => ({ pk: `${tenant}#experiment`, sk: runId });
  return {
    async openReview(tenant, review) {
      await table.put({
        Item: {
          ...reviewKey(tenant, review.runId),
          ...review,
          planHash: hashOf(review.plan),
          status: 'open',
        },
      });
    },
    async review(tenant, runId) {
      const item = await table.get(reviewKey(tenant, runId));
      return item && Review.parse(item);
    },
    async answerReview(tenant, { runId, token }, decision, nowMs, alongside = []) {
      const answer: TransactAction = {
        Update: {
          Key: reviewKey(tenant, runId),
          UpdateExpression: 'SET #status = :answered, decision = :decision, answeredAt = :now',
          ConditionExpression: '#status = :open AND #token = :token AND #until > :now',
          ExpressionAttributeNames: { '#status': 'status', '#token': 'token', '#until': 'until' },
          ExpressionAttributeValues: {
            ':answered': 'answered',
            ':open': 'open',
            ':token': token,
            ':decision': decision,
            ':now': nowMs,
          },
        },
      };
      try {
        await table.transact([answer, ...alongside]);
      } catch (error) {
        if (error instanceof Conflict)
          throw new Conflict(`Run ${runId} waits for no review, or it was answered before.`, {
            cause: error,
          });
        throw error;
      }
    },
    recording(experiment) {
      return {
        Put: {
          TableName: table.name,
          Item: { ...experimentKey(experiment.tenant, experiment.runId), ...experiment },
        },
      };
    },
    removing(tenant, runId) {
      return { Delete: { TableName: table.name, Key: experimentKey(tenant, runId) } };
    },
    async experiment(tenant, runId) {
      const item = await table.get(experimentKey(tenant, runId));
      return item && Experiment.parse(item);
    },
    async driveToken(tenant) {
      const item = await table.get(driveKey(tenant));
      return item === undefined ? undefined : String(item['pageToken']);
    },
    async moveDriveToken(tenant, from, to, nowMs) {
      await table.put({
        Item: { ...driveKey(tenant), pageToken: to, seenAt: new Date(nowMs).toISOString() },
        ConditionExpression: from === undefined ? 'attribute_not_exists(pk)' : 'pageToken = :from',
        ...(from === undefined ? {} : { ExpressionAttributeValues: { ':from': from } }),
      });
    },
  };
}
