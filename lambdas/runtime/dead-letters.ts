// What waits on an area's dead-letter queue until a person redrives it?
import * as z from 'zod';
import { AREAS, AREAS_WITH_LETTERS } from './events.ts';
import type { Need } from './need.ts';
import { queueNeed, type Queue } from './queue.ts';
import { RunId, TenantId } from './run-id.ts';

const common = {
  stateMachine: z.string(),
  run: z.object({ id: RunId, tenant: TenantId }),
  error: z.string(),
  cause: z.string().optional(),
};

/** `run`: an execution that failed for good; its input stays with the execution. `variation`: part of a run that went on without it. */
export const DeadLetter = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run'),
    ...common,
    executionArn: z.string(),
    /** State that failed, not the undo after it; left out when none was entered. */
    state: z.string().optional(),
  }),
  z.object({
    kind: z.literal('variation'),
    ...common,
    variation: z.looseObject({ id: z.string() }),
  }),
]);
export type DeadLetter = z.infer<typeof DeadLetter>;

/** By area. */
export type DeadLetterQueues = ReadonlyMap<string, Queue>;

/** The dead letters of every area that has state machines. */
export function deadLettersNeed(
  ...access: Parameters<typeof queueNeed> extends [string, ...infer A] ? A : never
): Need<DeadLetterQueues> {
  const areas = access.includes('send') ? AREAS_WITH_LETTERS : AREAS;
  const needs = areas.map((area) => [area, queueNeed(`${area}-dead-letters`, ...access)] as const);
  return {
    grants: needs.flatMap(([, need]) => [...need.grants]),
    env: Object.assign({}, ...needs.map(([, need]) => need.env)) as Need<unknown>['env'],
    open: (env, context) => new Map(needs.map(([area, need]) => [area, need.open(env, context)])),
  };
}
