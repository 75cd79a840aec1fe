// How many read and write request units did each table use?

export interface RequestUnits {
  readUnits: number;
  writeUnits: number;
}

export interface Meter {
  /** One unit per 4 KB strongly consistent, half of it eventually consistent; at least one block. */
  readBytes(tableName: string, bytes: number, consistent: boolean): void;
  readUnits(tableName: string, units: number): void;
  /** One unit per 1 KB, at least one. */
  writeBytes(tableName: string, bytes: number): void;
  /** Transactional reads and writes cost two units for one. */
  twice(run: () => void): void;
  total(): Record<string, RequestUnits>;
}

/** Source of the block sizes: DynamoDB pricing, on-demand capacity. */
export function createMeter(): Meter {
  const tables = new Map<string, RequestUnits>();
  let factor = 1;
  const of = (name: string): RequestUnits => {
    let found = tables.get(name);
    if (found === undefined) tables.set(name, (found = { readUnits: 0, writeUnits: 0 }));
    return found;
  };
  return {
    readBytes(tableName, bytes, consistent) {
      of(tableName).readUnits += factor * Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);
    },
    readUnits: (tableName, units) => void (of(tableName).readUnits += units),
    writeBytes(tableName, bytes) {
      of(tableName).writeUnits += factor * Math.max(1, Math.ceil(bytes / 1024));
    },
    twice(run) {
      factor = 2;
      try {
        run();
      } finally {
        factor = 1;
      }
    },
    total: () => Object.fromEntries([...tables].map(([name, units]) => [name, { ...units }])),
  };
}
