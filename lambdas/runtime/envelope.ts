// What does a state hand its Lambda besides the input?
import * as z from 'zod';
import { RunId, TenantId, parseExecutionArn } from './run-id.ts';

/** Every Task state passes exactly this as its Arguments. */
export const Envelope = z.object({
  run: z.object({
    id: RunId,
    tenant: TenantId,
    attempt: z.number().int().positive().default(1),
    /** Follows a request through everything it causes; the run id when nobody gave one. */
    correlationId: z.string().max(128).optional(),
  }),
  /** ARN; only for logs and metrics. */
  execution: z.string().default(''),
  /** Name of the state. */
  state: z.string().min(1),
  input: z.unknown(),
});
export type Envelope = z.output<typeof Envelope>;

/** As a caller writes it. */
export type EnvelopeInput = z.input<typeof Envelope>;

/** Short name of the state machine, `creative-generation`; `none` when a task runs by itself. */
export function workflowOf(envelope: Envelope): string {
  const { workflow } = parseExecutionArn(envelope.execution);
  return workflow === '' ? 'none' : workflow;
}
