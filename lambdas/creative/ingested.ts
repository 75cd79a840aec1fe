// What does ingest know of a file before anyone has looked inside?
import * as z from 'zod';

export const Ingested = z.object({
  /** Hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  key: z.string(),
  sizeBytes: z.number().int().positive(),
});
export type Ingested = z.infer<typeof Ingested>;
