// Which characters can our font draw, and how wide are they?

/** What layout needs of one TrueType font. Lengths are font units; `unitsPerLine` is what libass scales a font size to. */
export interface Font {
  /** Full name (name table id 4): what an ASS style asks for. */
  name: string;
  unitsPerEm: number;
  /** OS/2 usWinAscent + usWinDescent: an ASS font size of N pixels makes this many units N pixels high. */
  unitsPerLine: number;
  /** Advance of a code point in font units, or undefined when the font has no glyph for it. */
  advance(codePoint: number): number | undefined;
}

/**
 * Reads the tables that text layout needs from a TrueType file (OpenType 1.9: cmap formats 4 and 12, hmtx, OS/2, name).
 * Throws when the bytes are not such a font: a font is our asset, so this is a packaging error.
 */
export function readFont(bytes: Uint8Array): Font {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map<string, number>();
  for (let index = 0; index < view.getUint16(4); index++) {
    const record = 12 + index * 16;
    const tag = String.fromCharCode(...bytes.subarray(record, record + 4));
    tables.set(tag, view.getUint32(record + 8));
  }
  const table = (tag: string): number => {
    const offset = tables.get(tag);
    if (offset === undefined) throw new Error(`font has no ${tag} table`);
    return offset;
  };
  const glyphOf = readCmap(view, table('cmap'));
  const metricCount = view.getUint16(table('hhea') + 34);
  const hmtx = table('hmtx');
  const os2 = table('OS/2');
  return {
    name: readFullName(view, table('name')),
    unitsPerEm: view.getUint16(table('head') + 18),
    unitsPerLine: view.getUint16(os2 + 74) + view.getUint16(os2 + 76),
    advance(codePoint) {
      const glyph = glyphOf(codePoint);
      if (glyph === 0) return undefined;
      return view.getUint16(hmtx + Math.min(glyph, metricCount - 1) * 4);
    },
  };
}

function readFullName(view: DataView, offset: number): string {
  const strings = offset + view.getUint16(offset + 4);
  for (let index = 0; index < view.getUint16(offset + 2); index++) {
    const record = offset + 6 + index * 12;
    if (view.getUint16(record) !== 3 || view.getUint16(record + 6) !== 4) continue;
    const start = strings + view.getUint16(record + 10);
    let name = '';
    for (let at = 0; at < view.getUint16(record + 8); at += 2)
      name += String.fromCharCode(view.getUint16(start + at));
    return name;
  }
  throw new Error('font has no full name');
}

function readCmap(view: DataView, offset: number): (codePoint: number) => number {
  let best = 0;
  for (let index = 0; index < view.getUint16(offset + 2); index++) {
    const subtable = offset + view.getUint32(offset + 4 + index * 8 + 4);
    const format = view.getUint16(subtable);
    if (format === 12) return (codePoint) => lookUpGroups(view, subtable, codePoint);
    if (format === 4) best = subtable;
  }
  if (best === 0) throw new Error('font has no Unicode character map');
  return (codePoint) => lookUpSegments(view, best, codePoint);
}

function lookUpGroups(view: DataView, subtable: number, codePoint: number): number {
  let low = 0;
  let high = view.getUint32(subtable + 12) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const group = subtable + 16 + middle * 12;
    if (codePoint < view.getUint32(group)) high = middle - 1;
    else if (codePoint > view.getUint32(group + 4)) low = middle + 1;
    else return view.getUint32(group + 8) + codePoint - view.getUint32(group);
  }
  return 0;
}

function lookUpSegments(view: DataView, subtable: number, codePoint: number): number {
  const doubled = view.getUint16(subtable + 6);
  for (let at = 0; at < doubled; at += 2) {
    if (codePoint > view.getUint16(subtable + 14 + at)) continue;
    const start = view.getUint16(subtable + 16 + doubled + at);
    if (codePoint < start) return 0;
    const delta = view.getUint16(subtable + 16 + 2 * doubled + at);
    const rangeAt = subtable + 16 + 3 * doubled + at;
    const range = view.getUint16(rangeAt);
    if (range === 0) return (codePoint + delta) & 0xffff;
    const glyph = view.getUint16(rangeAt + range + (codePoint - start) * 2);
    return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
  }
  return 0;
}
