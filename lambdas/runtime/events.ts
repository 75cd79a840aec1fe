// What may be said on the platform's bus, and in which shape?
import * as z from 'zod';

const run = { tenant: z.string(), runId: z.string() };

const started = z.object({ ...run, attempt: z.number().int().positive() });
const succeeded = z.object({ ...run, summary: z.record(z.string(), z.unknown()).default({}) });
const failed = z.object({
  ...run,
  state: z.string().optional(),
  error: z.string(),
  cause: z.string().optional(),
});
const needsReview = z.object({
  ...run,
  /** One sentence each. */
  reasons: z.array(z.string()),
  /** When silence becomes a rejection, ISO 8601. */
  until: z.string().optional(),
});

interface CatalogueEntry {
  /** EventBridge `source`: `impresario.<area>`. */
  source: string;
  detail: z.ZodType;
}

/** `detail-type` → who says it and its detail. Each state machine says started, succeeded, failed and needs-review. */
export const EVENTS = {
  'creative-generation.started': { source: 'impresario.creative', detail: started },
  'creative-generation.succeeded': { source: 'impresario.creative', detail: succeeded },
  'creative-generation.failed': { source: 'impresario.creative', detail: failed },
  'creative-generation.needs-review': { source: 'impresario.creative', detail: needsReview },
  'variation.render-failed': {
    source: 'impresario.creative',
    detail: z.object({ ...run, variationId: z.string(), error: z.string(), cause: z.string().optional() }),
  },
  'change-execution.started': { source: 'impresario.changes', detail: started },
  'change-execution.succeeded': { source: 'impresario.changes', detail: succeeded },
  'change-execution.failed': { source: 'impresario.changes', detail: failed },
  'change-execution.needs-review': { source: 'impresario.changes', detail: needsReview },
  'ad-account.stopped': {
    source: 'impresario.changes',
    detail: z.object({ tenant: z.string(), accountId: z.string(), reason: z.string() }),
  },
  'compensation.debt-recorded': {
    source: 'impresario.platform',
    detail: z.object({ ...run, effect: z.string(), subject: z.string(), error: z.string() }),
  },
  'settings.changed': {
    source: 'impresario.platform',
    detail: z.object({ tenant: z.string(), version: z.number().int(), actor: z.string() }),
  },
} as const satisfies Record<string, CatalogueEntry>;

export type EventName = keyof typeof EVENTS;
export type EventDetail<N extends EventName> = z.input<(typeof EVENTS)[N]['detail']>;

/** One event, its detail of the shape that its name demands. */
export type BusEvent = { [N in EventName]: { name: N; detail: EventDetail<N> } }[EventName];

/** Areas that own state machines, by the catalogue: `creative`. Each has a queue `<area>-dead-letters`. */
export const AREAS: readonly string[] = [
  ...new Set(
    Object.entries(EVENTS).flatMap(([name, { source }]) =>
      name.endsWith('.failed') ? [areaIn(source)] : [],
    ),
  ),
];

/** Whose work is taken up again by their area's own sweep: an execution of theirs that failed is no lost work. */
export const RESUMED: ReadonlySet<string> = new Set(['change-execution']);

/** Areas with a state machine whose failed executions wait for a person. */
export const AREAS_WITH_LETTERS: readonly string[] = [
  ...new Set(
    Object.entries(EVENTS).flatMap(([name, { source }]) =>
      name.endsWith('.failed') && !RESUMED.has(name.replace(/\.failed$/, '')) ? [areaIn(source)] : [],
    ),
  ),
];

/** `creative-generation` → `creative`. @throws Error for a state machine without events in the catalogue. */
export function areaOf(stateMachine: string): string {
  return areaIn(EVENTS[eventOf(stateMachine, 'failed')].source);
}

type Moment = 'started' | 'failed';
type MachineEvent<M extends Moment> = Extract<EventName, `${string}.${M}`>;

/** The name that a state machine's event has. @throws Error for a state machine without events in the catalogue. */
export function eventOf<M extends Moment>(stateMachine: string, moment: M): MachineEvent<M> {
  const name = `${stateMachine}.${moment}`;
  if (!(name in EVENTS)) throw new Error(`lambdas/runtime/events.ts has no event ${name}.`);
  return name as MachineEvent<M>;
}

function areaIn(source: string): string {
  return source.replace('impresario.', '');
}
