// Is each function as small as promised, and free of everything that is only for a laptop?
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleEntries } from '../../lib/aws/app.ts';
import { bundleFolders, moduleName } from '../../lib/aws/bundle.ts';
import { discover } from '../../lib/aws/discover.ts';
import { ROOT } from '../support/sources.ts';
import { contents, probes, sizeOf } from './measure-bundles.ts';

/** Of a handler with the full stack: defineTask, a table and the bucket. */
const FULL_BYTES = 470_000;
const FULL_GZIPPED_BYTES = 145_000;
/** zod, middy and Powertools. */
const FRAMEWORK_BYTES = 130_000;
/** Of the largest function there is: a port with two vendors, secrets, tables and the bucket. Raise it only with a reason. */
const LARGEST_BYTES = 640_000;

const tree = await discover();
const entries = bundleEntries(tree);

describe('the full stack', () => {
  let made: Awaited<ReturnType<typeof probes>>;
  beforeAll(async () => {
    made = await probes();
  });
  afterAll(() => made.remove());

  it('fits its budget', () => {
    const { bytes, gzippedBytes } = sizeOf(made.folder('full'));
    expect(bytes).toBeLessThanOrEqual(FULL_BYTES);
    expect(gzippedBytes).toBeLessThanOrEqual(FULL_GZIPPED_BYTES);
    expect(bytes, 'something is in it').toBeGreaterThan(200_000);
  });

  it('stands on libraries that are small beside the AWS SDK', async () => {
    const bytes = await contents(made.source('framework'));
    const libraries = [...bytes].filter(([path]) =>
      /node_modules\/(?!@(aws-sdk|smithy|aws-crypto|aws)\/)/.test(path),
    );
    const sum = libraries.reduce((total, [, size]) => total + size, 0);
    expect(sum).toBeLessThanOrEqual(FRAMEWORK_BYTES);
    expect(sum, 'something is in it').toBeGreaterThan(50_000);
  });
});

it('every function is printed with its size, and none is larger than the largest', async () => {
  const out = join(ROOT, '.impresario', `sizes-${process.pid}`);
  const folders = await bundleFolders(entries, out);
  const sizes = [...folders].map(([entry, folder]) => ({ entry, ...sizeOf(folder) }));
  rmSync(out, { recursive: true });
  const rows = sizes.toSorted((a, b) => b.bytes - a.bytes);
  console.log(
    rows
      .map(
        ({ entry, bytes, gzippedBytes }) =>
          `${moduleName(entry).padEnd(28)} ${Math.round(bytes / 1000)} KB, ${Math.round(gzippedBytes / 1000)} KB gzipped`,
      )
      .join('\n'),
  );
  expect(rows.length).toBe(entries.length);
  expect(rows.filter(({ bytes }) => bytes > LARGEST_BYTES)).toEqual([]);
});

it('no function holds anything that is only for a laptop or a test', async () => {
  const inputs = [...(await contents(...entries.map(({ file }) => file))).keys()];
  expect(inputs.filter((path) => /^(lib|test|bin)\//.test(path))).toEqual([]);
  expect(inputs.filter((path) => path.startsWith('lambdas/')).length).toBeGreaterThan(100);
});
