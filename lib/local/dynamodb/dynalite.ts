// How are dynalite's inner modules called: its validations, its expressions and its single-item actions?
import { createRequire } from 'node:module';
import { AwsError, type Json } from '../types.ts';

export type Item = Record<string, Json>;

export interface KeyElement {
  AttributeName: string;
  KeyType: 'HASH' | 'RANGE';
}

export interface IndexDescription {
  IndexName: string;
  KeySchema: KeyElement[];
  Projection: { ProjectionType: 'ALL' | 'INCLUDE' | 'KEYS_ONLY'; NonKeyAttributes?: string[] };
  [member: string]: Json;
}

export interface TableDescription {
  TableName: string;
  TableArn: string;
  TableStatus: string;
  KeySchema: KeyElement[];
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  GlobalSecondaryIndexes?: IndexDescription[];
  LocalSecondaryIndexes?: IndexDescription[];
  [member: string]: Json;
}

type Callback = (error?: unknown, result?: Json) => void;

/** The part of dynalite's sub-database that its actions use. */
export interface ItemDatabase {
  lock(key: string, run: (release: (callback: Callback) => Callback) => void): void;
  get(key: string, callback: Callback): void;
  put(key: string, item: Item, callback: Callback): void;
  del(key: string, callback: Callback): void;
}

/** The part of dynalite's store that its item, batch-get, query and scan actions use. */
export interface DynaliteStore {
  options: { maxItemSize: number };
  getTable(name: string, checkStatus: boolean | Callback, callback?: Callback): void;
  getItemDb(tableName: string): ItemDatabase;
  getIndexDb(kind: string, tableName: string, indexName: string): ItemDatabase;
}

interface DynaliteDb {
  createKey(item: Item, table: TableDescription): string;
  itemSize(item: Item): number;
  validationError(message: string): Error;
  getIndexActions(
    indexes: readonly IndexDescription[],
    oldItem: Item | undefined,
    newItem: Item | undefined,
    table: TableDescription,
  ): { puts: { index: string; key: string; item: Item }[]; deletes: { index: string; key: string }[] };
  validateKey(key: Item, table: TableDescription): Error | undefined;
  validateItem(item: Item, table: TableDescription): Error | undefined;
}

interface Validations {
  checkTypes(input: Json, types: Json): Json;
  checkValidations(input: Json, types: Json, custom: unknown, store: unknown): void;
}

interface ActionValidation {
  types: Json;
  custom: unknown;
}

export type DynaliteAction = (store: DynaliteStore, input: Json, callback: Callback) => void;

const require = createRequire(import.meta.url);
export const dynaliteDb = require('dynalite/db') as DynaliteDb;
const validations = require('dynalite/validations') as Validations;

const ITEM_ACTIONS = [
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'Query',
  'Scan',
  'BatchGetItem',
] as const;
export type ItemAction = (typeof ITEM_ACTIONS)[number];
type Validated = ItemAction | 'BatchWriteItem' | 'CreateTable';

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

const actions = new Map<ItemAction, DynaliteAction>(
  ITEM_ACTIONS.map((name) => [name, require(`dynalite/actions/${lowerFirst(name)}`) as DynaliteAction]),
);
const actionValidations = new Map<Validated, ActionValidation>(
  [...ITEM_ACTIONS, 'BatchWriteItem' as const, 'CreateTable' as const].map((name) => [
    name,
    require(`dynalite/validations/${lowerFirst(name)}`) as ActionValidation,
  ]),
);

/** A deep copy of plain JSON data (`undefined` members are dropped). */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => copyOf<unknown>(member)) as T;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value))
    if (member !== undefined) copy[name] = copyOf<unknown>(member);
  return copy as T;
}

/** dynalite reports `{statusCode, body: {__type, message}}`; everything outside this folder sees AwsError. */
export function asAwsError(error: unknown): unknown {
  if (error instanceof AwsError || typeof error !== 'object' || error === null || !('body' in error))
    return error;
  const { statusCode, body } = error as { statusCode?: number; body: Record<string, unknown> };
  const { __type, message, Message, ...fields } = body;
  const code = String(__type).split('#').at(-1) ?? 'InternalServerError';
  const text = message ?? Message ?? (error instanceof Error ? error.message : '');
  return new AwsError(
    code,
    typeof text === 'string' ? text : JSON.stringify(text),
    statusCode ?? 400,
    fields,
  );
}

/**
 * A checked copy of the request with its expressions parsed (`_condition`, `_updates`, `_projection`).
 * @throws AwsError ValidationException or SerializationException
 */
export function validated(action: Validated, input: Json, store: { options: { maxItemSize: number } }): Json {
  const validation = actionValidations.get(action);
  if (validation === undefined)
    throw new AwsError('UnknownOperationException', `No such operation: ${action}`);
  try {
    const checked = validations.checkTypes(copyOf(input ?? {}), validation.types);
    validations.checkValidations(checked, validation.types, validation.custom, store);
    return checked;
  } catch (error) {
    throw asAwsError(error);
  }
}

function actionOf(name: ItemAction): DynaliteAction {
  const action = actions.get(name);
  if (action === undefined) throw new AwsError('UnknownOperationException', `No such operation: ${name}`);
  return action;
}

/** Runs an action; the result may come in a later turn (queries, scans and batch reads do). */
export function act(store: DynaliteStore, name: ItemAction, checked: Json): Promise<Json> {
  return new Promise((resolve, reject) => {
    actionOf(name)(store, checked, (error, result) => {
      if (error !== undefined && error !== null) reject(asAwsError(error));
      else resolve(result);
    });
  });
}

/** Runs a single-item action to its end in this turn of the event loop: nothing else can see it half done. */
export function actAtOnce(store: DynaliteStore, name: ItemAction, checked: Json): Json {
  let outcome: { error?: unknown; result?: Json } | undefined;
  actionOf(name)(store, checked, (error, result) => {
    outcome = { error, result };
  });
  if (outcome === undefined) throw new Error(`${name} did not finish at once`);
  if (outcome.error !== undefined && outcome.error !== null) throw asAwsError(outcome.error);
  return outcome.result;
}
