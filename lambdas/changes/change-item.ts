// How does a change lie in its table, and what does a move write?
import type { Item, TransactAction } from '../runtime/table.ts';
import { entityName, type Change, type ChangeStatus, type Entity } from './change.ts';
import { MOVES, type Move, type MoveName } from './lifecycle.ts';

/** Digits of an epoch millisecond until the year 33658. */
const TIME_WIDTH = 15;
/** Room for every value a change may be worth, turned round so that the dearest sorts first. */
const VALUE_OFFSET = 1e15;
const VALUE_WIDTH = 16;
/** Kept a year after it can no longer be applied. */
const KEPT_SECONDS = 365 * 86_400;

export const timeText = (ms: number): string => String(ms).padStart(TIME_WIDTH, '0');

export const changeKey = (tenant: string, id: string) => ({ pk: `${tenant}#change`, sk: id });
export const statusKey = (tenant: string, status: ChangeStatus): string => `${tenant}#${status}`;
/** Of the index byRank: changes that wait, that somebody executes, that a person has to decide about, and the rest. */
export type Queue = 'waiting' | 'taken' | 'held' | 'over';
export const queueKey = (tenant: string, accountId: string, queue: Queue): string =>
  `${tenant}#${accountId}#${queue}`;
export function queueOf(status: ChangeStatus): Queue {
  if (status === 'PENDING') return 'waiting';
  if (status === 'HELD') return 'held';
  return status === 'CLAIMED' || status === 'EXECUTING' ? 'taken' : 'over';
}
export const entityKey = (tenant: string, accountId: string, entity: Entity): string =>
  `${tenant}#${accountId}#${entityName(entity)}`;
export const timeKey = (tenant: string): string => `${tenant}#change`;

/** What people ordered comes first, then what is worth most, then what waited longest. */
export function rankOf({
  origin,
  expectedValueMinor,
  createdAt,
  id,
}: Pick<Change, 'origin' | 'expectedValueMinor' | 'createdAt' | 'id'>): string {
  const ordered = origin.area === 'person' || origin.area === 'undo' ? 0 : 1;
  const value = String(VALUE_OFFSET - expectedValueMinor).padStart(VALUE_WIDTH, '0');
  return `${ordered}#${value}#${timeText(createdAt)}#${id}`;
}

export function toItem(change: Change): Item {
  return {
    ...changeKey(change.tenant, change.id),
    ...change,
    notBefore: timeText(change.notBefore),
    statusPk: statusKey(change.tenant, change.status),
    accountPk: queueKey(change.tenant, change.accountId, queueOf(change.status)),
    rank: rankOf(change),
    entityPk: entityKey(change.tenant, change.accountId, change.entity),
    timePk: timeKey(change.tenant),
    createdSk: `${timeText(change.createdAt)}#${change.id}`,
    expiresAtSeconds: Math.floor(change.expiresAt / 1000) + KEPT_SECONDS,
  };
}

export function fromItem(item: Item): Change {
  const { pk, sk, statusPk, accountPk, rank, entityPk, timePk, createdSk, expiresAtSeconds, ...change } =
    item;
  void [pk, sk, statusPk, accountPk, rank, entityPk, timePk, createdSk, expiresAtSeconds];
  return { ...(change as unknown as Change), notBefore: Number(change['notBefore']) };
}

export interface Step {
  move: MoveName;
  /** The mover's lease; every leased move needs it. */
  lease?: number;
  nowMs: number;
  /** Fields that change with the move. `notBefore` in epoch milliseconds. */
  set?: Partial<
    Pick<
      Change,
      | 'notBefore'
      | 'lease'
      | 'holder'
      | 'leasedUntil'
      | 'attempts'
      | 'deferrals'
      | 'intent'
      | 'approval'
      | 'supersededBy'
      | 'undoneBy'
      | 'result'
      | 'retracted'
      | 'mode'
    >
  >;
  reason?: string;
  code?: string;
  /** What is known not to have reached the platform is forgotten. */
  forgetIntent?: boolean;
  /** The lease must still be this one, for moves that name the next. */
  leaseBefore?: number;
}

/** The conditional write of one move: it fails, as Conflict, unless the change stands where the move begins. */
export function moving(
  change: Pick<Change, 'tenant' | 'id' | 'accountId'>,
  step: Step,
): NonNullable<TransactAction['Update']> {
  const move: Move = MOVES[step.move];
  const names: Record<string, string> = { '#status': 'status' };
  const values: Record<string, unknown> = {
    ':to': move.to,
    ':statusPk': statusKey(change.tenant, move.to),
    ':accountPk': queueKey(change.tenant, change.accountId, queueOf(move.to)),
    ':now': step.nowMs,
    ':reason': step.reason ?? '',
    ':code': step.code ?? '',
  };
  const sets = [
    '#status = :to',
    'statusPk = :statusPk',
    'accountPk = :accountPk',
    'updatedAt = :now',
    'statusReason = :reason',
    'statusCode = :code',
  ];
  for (const [name, value] of Object.entries(step.set ?? {})) {
    names[`#${name}`] = name;
    values[`:${name}`] = name === 'notBefore' ? timeText(value as number) : value;
    sets.push(`#${name} = :${name}`);
  }
  const conditions = [`#status IN (${move.from.map((_, index) => `:from${index}`).join(', ')})`];
  move.from.forEach((status, index) => (values[`:from${index}`] = status));
  const lease = move.leased ? step.lease : step.leaseBefore;
  if (move.leased && lease === undefined) throw new Error(`${step.move} needs the lease it is made under.`);
  if (lease !== undefined) {
    names['#leaseNow'] = 'lease';
    values[':leaseNow'] = lease;
    conditions.push('#leaseNow = :leaseNow');
  }
  if (move.untouched) conditions.push('attribute_not_exists(intent)');
  return {
    Key: changeKey(change.tenant, change.id),
    UpdateExpression: `SET ${sets.join(', ')}${step.forgetIntent === true ? ' REMOVE intent' : ''}`,
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
