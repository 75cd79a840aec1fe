// How large is a bundle, what is in it, and how long does its import take?
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleFolders, bundling, moduleName } from '../../lib/aws/bundle.ts';
import { ROOT } from '../support/sources.ts';

export interface BundleSize {
  bytes: number;
  gzippedBytes: number;
}

/** Code only: source maps are not loaded. */
export function sizeOf(folder: string): BundleSize {
  const code = readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => readFileSync(join(folder, file)));
  const sum = (bytes: number[]): number => bytes.reduce((a, b) => a + b, 0);
  return {
    bytes: sum(code.map((file) => file.length)),
    gzippedBytes: sum(code.map((file) => gzipSync(file).length)),
  };
}

/** Bytes in the output by input file. */
export async function contents(...entryPoints: string[]): Promise<Map<string, number>> {
  const { metafile } = await build({
    ...bundling(),
    absWorkingDir: ROOT,
    entryPoints,
    outdir: join(ROOT, '.impresario', 'unwritten'),
    write: false,
  });
  const bytes = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      bytes.set(path, (bytes.get(path) ?? 0) + bytesInOutput);
    }
  }
  return bytes;
}

const PROBES = {
  full: `
    import * as z from 'zod';
    import { bucketNeed } from '../../../lambdas/runtime/bucket.ts';
    import { defineTask } from '../../../lambdas/runtime/define-task.ts';
    import { tableNeed } from '../../../lambdas/runtime/table.ts';
    export const { handler, task } = defineTask({
      name: 'Full',
      input: z.object({ id: z.string() }),
      output: z.object({ found: z.boolean() }),
      needs: { models: tableNeed('models', 'read'), media: bucketNeed([{ prefix: 'sources/', access: 'read' }]) },
      async run({ id }, { models, media }) {
        const item = await models.get({ Key: { pk: id, sk: id } });
        return { found: item !== undefined && (await media.head(id)) !== undefined };
      },
    });`,
  framework: `
    import * as z from 'zod';
    import { defineTask } from '../../../lambdas/runtime/define-task.ts';
    export const { handler, task } = defineTask({
      name: 'Framework',
      input: z.object({ id: z.string() }),
      output: z.object({ id: z.string() }),
      needs: {},
      run: ({ id }) => Promise.resolve({ id }),
    });`,
  client: `
    import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
    import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
    const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
    export const handler = (event) =>
      client.send(event.put ? new PutCommand(event) : new GetCommand(event));`,
};
export type Probe = keyof typeof PROBES;

/** The yardstick keeps all that the SDK brings, as it would for anyone who bundles it. */
async function bundleAsIs(file: string, folder: string): Promise<void> {
  const { plugins, ...options } = bundling();
  await build({
    ...options,
    plugins: plugins.filter(({ name }) => name !== 'lean-sdk'),
    absWorkingDir: ROOT,
    entryPoints: [{ in: file, out: 'client' }],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
  });
}

/** Three small functions, bundled one by one as if each were alone in the tree. */
export async function probes(): Promise<{
  source(probe: Probe): string;
  folder(probe: Probe): string;
  remove(): void;
}> {
  const home = join(ROOT, '.impresario', `probes-${process.pid}`, 'sources');
  mkdirSync(home, { recursive: true });
  const folders = new Map<Probe, string>();
  for (const [name, text] of Object.entries(PROBES) as [Probe, string][]) {
    const file = join(home, `${name}.task.ts`);
    writeFileSync(file, text);
    const made = await bundleFolders([{ entry: `${name}.task`, file }], join(home, '..', name));
    folders.set(name, made.get(`${name}.task`) ?? '');
    if (name === 'client') await bundleAsIs(file, folders.get(name) ?? '');
  }
  return {
    source: (probe) => join(home, `${probe}.task.ts`),
    folder: (probe) => folders.get(probe) ?? '',
    remove: () => rmSync(join(home, '..'), { recursive: true }),
  };
}

/** Medians over the rounds. */
export interface ImportTimes {
  /** Processor milliseconds. */
  full: number;
  client: number;
  /** Of full to client, each pair measured one after the other. */
  ratio: number;
}

/** One process per import, in turns, so that a busy machine slows both. */
export function importTimes(folders: { full: string; client: string }, rounds: number): ImportTimes {
  const once = (name: 'full' | 'client'): number => {
    const path = join(folders[name], `${moduleName(`${name}.task`)}.mjs`);
    const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'import-time.ts'), path], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], AWS_REGION: 'us-east-1' },
    });
    return Number(printed);
  };
  const pairs = Array.from({ length: rounds }, () => ({ full: once('full'), client: once('client') }));
  const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
  return {
    full: median(pairs.map(({ full }) => full)),
    client: median(pairs.map(({ client }) => client)),
    ratio: median(pairs.map(({ full, client }) => full / client)),
  };
}
