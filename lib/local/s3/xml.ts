// How does S3 write and read XML?
import type { Json } from '../types.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const escaped = (plain: string): string => plain.replaceAll(/[&<>"\r]/g, (sign) => ESCAPES[sign] ?? sign);

function unescaped(written: string): string {
  return written.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex as string, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return NAMED[name as string] ?? whole;
  });
}

function members(value: Json): string {
  if (value === null || typeof value !== 'object') return escaped(String(value));
  return Object.entries(value as Record<string, Json>)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) =>
      (Array.isArray(member) ? member : [member]).map((one) => `<${name}>${members(one)}</${name}>`).join(''),
    )
    .join('');
}

/** One element with its members; arrays repeat their element. */
export function xmlOf(root: string, value: Json): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${members(value)}</${root}>`;
}

/** The contents of every element of that name, in order; enough for the flat documents S3 takes. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>([\\s\\S]*?)</${name}>)`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

export function text(xml: string, name: string): string | undefined {
  const found = elements(xml, name)[0];
  return found === undefined ? undefined : unescaped(found);
}
