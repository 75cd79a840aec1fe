// How large is a handler with the full stack, and how long does its import take beside a DynamoDB client alone?
import { importTimes, probes, sizeOf, type ImportTimes } from '../aws/measure-bundles.ts';

export interface BundleBench {
  kilobytes: number;
  gzippedKilobytes: number;
  import: ImportTimes;
}

export async function benchBundle(): Promise<BundleBench> {
  const made = await probes();
  try {
    const { bytes, gzippedBytes } = sizeOf(made.folder('full'));
    return {
      kilobytes: bytes / 1_000,
      gzippedKilobytes: gzippedBytes / 1_000,
      import: importTimes({ full: made.folder('full'), client: made.folder('client') }, 15),
    };
  } finally {
    made.remove();
  }
}
