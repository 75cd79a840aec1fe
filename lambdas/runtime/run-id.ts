// What is a run called, before it exists and in every system that sees it?
import * as z from 'zod';
import { unpredictable } from './random.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 16;

/**
 * `run-` and 26 characters: 10 of time (milliseconds, base 32), 16 of chance. Sorts by time; valid as an execution name. The run
 * that applies a change to a live ad has the change's own id, `chg-` and 26 characters.
 */
export const RunId = z
  .string()
  .regex(/^(?:run|chg)-[0-9abcdefghjkmnpqrstvwxyz]{26}$/, 'is not a run id (run- or chg- and 26 characters)');

/** First folders of the media bucket that are no tenant's; every other key there starts with its tenant. */
export const SHARED_FOLDERS: readonly string[] = ['models', 'uploads'];

/** A tenant as it stands first in every key: short, lower case, no separators. `platform` and the shared folders are ours. */
export const TenantId = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/,
    'is not a tenant id (a-z, 0-9 and -, at most 48 characters)',
  )
  .refine((tenant) => tenant !== 'platform', 'platform is not a tenant')
  .refine((tenant) => !SHARED_FOLDERS.includes(tenant), 'is a folder of ours, not a tenant');

/** `random` returns [0, 1); tests pass a seeded one. */
export function newRunId(nowMs: number, random: () => number = unpredictable): string {
  let time = '';
  for (let rest = nowMs, i = 0; i < TIME_LENGTH; i += 1, rest = Math.floor(rest / 32)) {
    time = `${ALPHABET[rest % 32]}${time}`;
  }
  let chance = '';
  for (let i = 0; i < RANDOM_LENGTH; i += 1) chance += ALPHABET[Math.floor(random() * 32)];
  return `run-${time}${chance}`;
}

/** When the run id was chosen, milliseconds since the epoch. @throws Error when it is not a run id. */
export function runIdTimeMs(runId: string): number {
  if (!RunId.safeParse(runId).success || !runId.startsWith('run-'))
    throw new Error(`${runId} is not the id of a run that was named by its time.`);
  let time = 0;
  for (const character of runId.slice(4, 4 + TIME_LENGTH)) time = time * 32 + ALPHABET.indexOf(character);
  return time;
}

/** The execution's name: the run id itself, from the second attempt on with `-<attempt>`; a change's always with its lease. */
export function executionName(runId: string, attempt: number): string {
  return attempt <= 1 && runId.startsWith('run-') ? runId : `${runId}-${attempt}`;
}

/** The inverse; undefined when the execution was not named by us. */
export function parseExecutionName(name: string): { runId: string; attempt: number } | undefined {
  const match = /^((?:run|chg)-[0-9a-z]{26})(?:-([1-9]\d*))?$/.exec(name);
  const runId = match?.[1];
  if (runId === undefined) return undefined;
  return { runId, attempt: match?.[2] === undefined ? 1 : Number(match[2]) };
}

/** `arn:…:execution:impresario-dev-creative-generation:run-…` → names. Children of a Distributed Map carry `machine/label`. */
export function parseExecutionArn(arn: string): { workflow: string; execution: string } {
  const [, , , , , , machine = '', execution = ''] = arn.split(':');
  return { workflow: workflowName(machine.split('/')[0] ?? machine), execution };
}

/** `impresario-<stage>-creative-generation` → `creative-generation`. */
export function workflowName(stateMachineName: string): string {
  return /^impresario-[a-z0-9]+-(.+)$/.exec(stateMachineName)?.[1] ?? stateMachineName;
}
