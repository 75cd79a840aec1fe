// How large is an item, as DynamoDB counts it?
import { AwsError, type Json } from '../types.ts';
import type { Item } from './dynalite.ts';

/** 400 KB, attribute names included (DynamoDB quotas, "Item size"). */
export const MAX_ITEM_BYTES = 400 * 1024;

function numberBytes(text: string): number {
  const digits = text
    .replace(/[eE].*$/, '')
    .replaceAll(/[-+.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  return 1 + Math.ceil(Math.max(digits.length, 1) / 2) + (text.startsWith('-') ? 1 : 0);
}

function valueBytes(value: Json): number {
  const [type, content] = Object.entries(value)[0] as [string, Json];
  switch (type) {
    case 'S':
      return Buffer.byteLength(content as string);
    case 'N':
      return numberBytes(content as string);
    case 'B':
      return Buffer.byteLength(content as string, 'base64');
    case 'SS':
      return (content as string[]).reduce((sum, member) => sum + Buffer.byteLength(member), 0);
    case 'NS':
      return (content as string[]).reduce((sum, member) => sum + numberBytes(member), 0);
    case 'BS':
      return (content as string[]).reduce((sum, member) => sum + Buffer.byteLength(member, 'base64'), 0);
    case 'L':
      return 3 + (content as Json[]).reduce((sum: number, member) => sum + 1 + valueBytes(member), 0);
    case 'M':
      return 3 + Object.keys(content as Item).length + itemBytes(content as Item);
    default:
      return 1;
  }
}

/** Names and values in UTF-8 bytes (DynamoDB guide, "Item sizes and formats"). */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

/** @throws AwsError ValidationException above 400 KB */
export function refuseOversized(item: Item, what: 'put' | 'update'): void {
  if (itemBytes(item) <= MAX_ITEM_BYTES) return;
  throw new AwsError(
    'ValidationException',
    what === 'put'
      ? 'Item size has exceeded the maximum allowed size'
      : 'Item size to update has exceeded the maximum allowed size',
  );
}
