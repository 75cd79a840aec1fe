// What may a person or another system ask to be changed, and what becomes of it?
import * as z from 'zod';
import { sha256 } from '../runtime/canonical.ts';
import type { Caller, RouteRequest } from '../runtime/define-routes.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { parseAs } from '../runtime/parse.ts';
import { newRunId } from '../runtime/run-id.ts';
import type { AdAccount } from '../runtime/settings.ts';
import type { Role } from '../runtime/specs.ts';
import {
  changeDigest,
  CHANGE_KINDS,
  ChangeRequest,
  CONFIGURED_STATUSES,
  Entity,
  MODES,
  type Approval,
  type Change,
} from './change.ts';
import type { Changes } from './changes.ts';
import { ChangeView, viewOf } from './change-view.ts';
import { conflictOf } from './conflicts.ts';
import { evidenceProblem } from './evidence.ts';

/** An unapplied change is worth nothing later. */
const EXPIRES_AFTER_MS = 86_400_000;

const SAID = 'is neither a whole number of minor units above zero nor ACTIVE, PAUSED or ARCHIVED';
const Amount = z.number().int(SAID).positive(SAID).max(Number.MAX_SAFE_INTEGER, SAID);
const Value = z.union([z.enum(CONFIGURED_STATUSES), Amount], { error: SAID });
export const Instant = z.iso
  .datetime({ offset: true, error: 'is not a time such as 2026-11-20T12:00:00Z' })
  .transform((text) => Date.parse(text));
export const ChangeId = z
  .string()
  .regex(/^chg-[0-9a-z]{26}$/, 'is not the id of a change (chg- and 26 characters)');

export const NewChange = z.strictObject({
  accountId: z
    .string()
    .regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)')
    .optional()
    .describe('The first account of the settings when absent'),
  entity: Entity,
  kind: z.enum(CHANGE_KINDS, { error: `is not a kind of change: it takes ${CHANGE_KINDS.join(', ')}` }),
  from: Value.describe('What the decision is based on: a status, or an amount in minor units'),
  to: Value,
  currency: z.string().length(3).optional().describe("The account's own when absent"),
  reason: z.string().min(1).max(500),
  evidence: z
    .record(z.string(), z.unknown())
    .superRefine((evidence, context) => {
      const message = evidenceProblem(evidence);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .default({}),
  expectedValueMinor: z.number().int().min(-1e15).max(1e15).default(0),
  origin: z
    .strictObject({
      area: z
        .string()
        .min(1)
        .max(40)
        .refine((area) => area !== 'undo', 'is what POST /v1/undo is called'),
      id: z.string().min(1).max(200),
      rule: z.string().min(1).max(200).optional(),
    })
    .optional()
    .describe(
      'The decision behind it: the same intent of the same origin is one change. The caller, once, when absent',
    ),
  expiresAt: Instant.optional().describe('A day from now when absent'),
  notBefore: Instant.optional(),
  mode: z.enum(MODES).default('live'),
  after: z.array(ChangeId).max(50).default([]).describe('Changes that must have been applied first'),
});
export type NewChange = z.output<typeof NewChange>;

export const QueuedChange = ChangeView.extend({
  queued: z.boolean().describe('False when the same intent had been queued before'),
  displaces: z.array(z.string()).describe('Waiting changes of the object that give way to it'),
  givesWayTo: z.string().nullable().describe('A waiting change of the object that it gives way to'),
});
export type QueuedChange = z.infer<typeof QueuedChange>;

/** The account that was asked for, or the first. @throws InvalidInput when it is not one of the tenant's. */
export function accountOf(accounts: readonly AdAccount[], accountId: string | undefined): AdAccount {
  const found = accountId === undefined ? accounts[0] : accounts.find(({ id }) => id === accountId);
  if (found !== undefined) return found;
  const what = accountId === undefined ? 'No ad account is' : `The ad account ${accountId} is not`;
  throw new InvalidInput(`${what} connected: add it to the settings first.`, { path: 'accountId' });
}

export interface Asking {
  caller: Caller;
  account: AdAccount;
  /** Unpredictable, for a request that names no origin; or the same again for the same Idempotency-Key. */
  originId: string;
  nowMs: number;
}

/** Pure. @throws InvalidInput naming the field that is wrong. */
export function requestOf(
  body: NewChange,
  { caller, account, originId, nowMs }: Asking,
): z.output<typeof ChangeRequest> {
  const { currency = account.currency, expiresAt = nowMs + EXPIRES_AFTER_MS, notBefore, origin } = body;
  if (currency !== account.currency) {
    throw new InvalidInput(
      `The change is in ${currency}, but the ad account ${account.id} counts in ${account.currency}.`,
      { path: 'currency' },
    );
  }
  if (expiresAt <= nowMs)
    throw new InvalidInput('It has expired already: nobody may apply it.', { path: 'expiresAt' });
  if (notBefore !== undefined && notBefore >= expiresAt)
    throw new InvalidInput('It would expire before anybody may apply it.', { path: 'notBefore' });
  const request: ChangeRequest = {
    accountId: account.id,
    entity: body.entity,
    kind: body.kind,
    from: body.from,
    to: body.to,
    currency,
    reason: body.reason,
    evidence: body.evidence,
    expectedValueMinor: body.expectedValueMinor,
    origin: { ...(origin ?? { area: 'person', id: originId }), actor: caller.subject },
    expiresAt,
    ...(notBefore === undefined ? {} : { notBefore }),
    mode: body.mode,
    after: body.after,
  };
  return parseAs(ChangeRequest, request, 'The change');
}

/** The same for a repeat of the request under its Idempotency-Key, otherwise unpredictable. */
export function freshId(
  {
    caller,
    headers,
    rawBody,
  }: Pick<RouteRequest<unknown, unknown, unknown, readonly Role[]>, 'caller' | 'headers' | 'rawBody'>,
  nowMs: number,
): string {
  const key = headers['idempotency-key'];
  if (key === undefined) return newRunId(nowMs).replace('run-', 'request-');
  return `request-${sha256(`${caller.tenant}\n${caller.subject}\n${key}\n${sha256(rawBody)}`).slice(0, 26)}`;
}

/** Who may approve a change approves it by asking for it. Pure. */
export function approvalBy(
  { role, subject }: Caller,
  request: z.output<typeof ChangeRequest>,
  comment: string,
  nowMs: number,
): Approval | undefined {
  if (role !== 'approver' && role !== 'admin') return undefined;
  return { actor: subject, comment, at: nowMs, digest: changeDigest(request) };
}

/** @throws InvalidInput when it would wait for a change that does not exist. */
export async function queueNew(
  caller: Caller,
  request: z.output<typeof ChangeRequest>,
  changes: Pick<Changes, 'get' | 'ofEntity' | 'queue'>,
  nowMs: number,
): Promise<QueuedChange> {
  const { tenant } = caller;
  const parents = await Promise.all(request.after.map((id) => changes.get(tenant, id)));
  const missing = parents.indexOf(undefined);
  if (missing >= 0)
    throw new InvalidInput(`There is no change ${request.after[missing]}.`, { path: `after.${missing}` });
  // Read first: what cannot be answered is not queued.
  const others = await changes.ofEntity(tenant, request.accountId, request.entity);
  const approval = approvalBy(caller, request, request.reason, nowMs);
  const { change, queued } = await changes.queue({
    tenant,
    request,
    status: 'PENDING',
    nowMs,
    ...(approval === undefined ? {} : { approval }),
  });
  return { ...viewOf(change), queued, ...rivalsOf(change, others) };
}

function rivalsOf(change: Change, all: readonly Change[]): Pick<QueuedChange, 'displaces' | 'givesWayTo'> {
  const waiting = all.filter(
    ({ id, status }) => id !== change.id && (status === 'PENDING' || status === 'HELD'),
  );
  const isWaiting = change.status === 'PENDING' || change.status === 'HELD';
  if (!isWaiting) return { displaces: [], givesWayTo: null };
  return {
    displaces: waiting.filter((other) => conflictOf(other, [change]) !== undefined).map(({ id }) => id),
    givesWayTo: conflictOf(change, waiting)?.id ?? null,
  };
}
