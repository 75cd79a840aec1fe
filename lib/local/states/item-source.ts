// Which items does a Distributed Map run over, and in which batches?
import type { Json } from '../types.ts';
import { mapItems, selectItem } from './branches.ts';
import type { DistributedPart, MapState } from './definition.ts';
import { PAYLOAD_LIMIT_BYTES, payloadJson, StateFailure } from './failure.ts';
import { callService } from './integrations.ts';
import type { Visit } from './interpreter.ts';
import { numberFrom } from './run.ts';

/** The input of one child execution and how many items are in it. */
export interface Batch {
  input: unknown;
  json: string;
  items: number;
}

const DELIMITERS: Readonly<Record<string, string>> = {
  COMMA: ',',
  PIPE: '|',
  SEMICOLON: ';',
  SPACE: ' ',
  TAB: '\t',
};

/** Rows of a CSV text (RFC 4180: quotes, doubled quotes, line breaks inside quotes). */
export function csvRows(source: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const endField = () => {
    row.push(field);
    field = '';
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let i = 0; i < source.length; i += 1) {
    const char = source[i]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (source[i + 1] === '"') field += source[(i += 1)];
      else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === delimiter) endField();
    else if (char === '\n') endRow();
    else if (char !== '\r') field += char;
  }
  if (field !== '' || row.length > 0) endRow();
  return rows;
}

function csvItems(source: string, config: Json): Record<string, string>[] {
  const rows = csvRows(source.replace(/^\uFEFF/, ''), DELIMITERS[config.CSVDelimiter ?? 'COMMA'] ?? ',');
  const given = config.CSVHeaderLocation === 'GIVEN';
  const header: string[] = given ? config.CSVHeaders : (rows.shift() ?? []);
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}

/** The items in an object's text. @throws when it is not what InputType says. */
export function parseItems(source: string, config: Json): unknown[] {
  if (config.InputType === 'CSV') return csvItems(source, config);
  if (config.InputType === 'JSONL')
    return source
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
  let items: Json = JSON.parse(source);
  for (const key of String(config.ItemsPointer ?? '')
    .split('/')
    .slice(1))
    items = items?.[key];
  if (!Array.isArray(items)) throw new Error('The object does not hold a JSON array');
  return items as unknown[];
}

async function listObjects({ run }: Visit, args: Json): Promise<unknown[]> {
  const items: unknown[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page: Json = await callService(run, 's3', 'ListObjectsV2', {
      ...args,
      ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
    });
    for (const { Key, ETag, Size, LastModified, StorageClass } of page.Contents ?? []) {
      const modifiedMs = typeof LastModified === 'number' ? LastModified * 1000 : Date.parse(LastModified);
      items.push({
        Etag: ETag,
        Key,
        LastModified: Math.floor(modifiedMs / 1000),
        Size,
        StorageClass: StorageClass ?? 'STANDARD',
      });
    }
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (ContinuationToken !== undefined);
  return items;
}

async function readItems(reader: NonNullable<DistributedPart['reader']>, visit: Visit): Promise<unknown[]> {
  const args = (await reader.arguments(visit.bindings)) as Json;
  const config = (await reader.config(visit.bindings)) as Json;
  const most = config.MaxItems === undefined ? Infinity : numberFrom(config.MaxItems, 'MaxItems', 1);
  try {
    if (reader.resource.endsWith(':listObjectsV2')) return (await listObjects(visit, args)).slice(0, most);
    const { Body } = await callService(visit.run, 's3', 'GetObject', args);
    return parseItems(Buffer.from(Body).toString('utf8'), config).slice(0, most);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StateFailure('States.ItemReaderFailed', message, { cause: thrown });
  }
}

/** Reads, selects and batches: the inputs of the children in order. */
export async function batchesOf(state: MapState, part: DistributedPart, visit: Visit): Promise<Batch[]> {
  const items =
    part.reader === undefined ? await mapItems(state, visit) : await readItems(part.reader, visit);
  const selected: unknown[] = [];
  for (const [index, item] of items.entries()) selected.push(await selectItem(state, visit, index, item));
  const what = `The input of a child of the state '${state.name}'`;
  if (part.batcher === undefined)
    return selected.map((input) => ({ input, json: payloadJson(input, what), items: 1 }));

  const { batcher } = part;
  const limit = async (template: typeof batcher.maxItems, field: string) => {
    const value = await template(visit.bindings);
    return value === null ? Infinity : numberFrom(value, field, 1);
  };
  const maxItems = await limit(batcher.maxItems, 'MaxItemsPerBatch');
  const maxBytes = Math.min(await limit(batcher.maxBytes, 'MaxInputBytesPerBatch'), PAYLOAD_LIMIT_BYTES);
  const batchInput = await batcher.batchInput?.(visit.bindings);
  const frame = batchInput === undefined ? {} : { BatchInput: batchInput };
  const emptyBytes = Buffer.byteLength(JSON.stringify({ ...frame, Items: [] }));
  const batches: Batch[] = [];
  let batch: unknown[] = [];
  let bytes = emptyBytes;
  const close = () => {
    const input = { ...frame, Items: batch };
    batches.push({ input, json: payloadJson(input, what), items: batch.length });
    batch = [];
    bytes = emptyBytes;
  };
  for (const item of selected) {
    const itemBytes = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (batch.length > 0 && (batch.length >= maxItems || bytes + itemBytes > maxBytes)) close();
    batch.push(item);
    bytes += itemBytes;
  }
  if (batch.length > 0) close();
  return batches;
}
