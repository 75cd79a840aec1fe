// Under which keys does everything about one run lie in the table runs?
import { sha256 } from './canonical.ts';

/** Rows of a run disappear this long after they were last opened: as long as anyone asks "what happened in spring?". */
export const RUN_RETENTION_SECONDS = 400 * 86_400;
/** Open runs are spread over this many index partitions so that thousands at once do not meet in one. */
export const OPEN_SHARDS = 8;

/** Partition of a run: its row, steps, intents and memos. */
export function runKey(tenant: string, runId: string): string {
  return `${tenant}#run#${runId}`;
}

/** byOpen partition of an open run, over all tenants: only sweeps and health read it. */
export function openKey(runId: string): string {
  return `platform#open#${Number.parseInt(sha256(runId).slice(0, 4), 16) % OPEN_SHARDS}`;
}

/** Epoch seconds after which DynamoDB may delete the row. */
export function retainedUntil(nowMs: number): number {
  return Math.floor(nowMs / 1000) + RUN_RETENTION_SECONDS;
}
