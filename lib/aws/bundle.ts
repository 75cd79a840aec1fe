// How does a source file become the folder that Lambda runs?
import { cpSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { builtinModules } from 'node:module';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { ROOT } from './discover.ts';
import { leanSdk } from './lean-sdk.ts';

export interface BundleEntry {
  /** `check-velocity.task`: becomes `check-velocity.mjs`, because Lambda splits the handler string at the first dot. */
  entry: string;
  file: string;
  /** Beside the code: files or folders that are copied (fonts), and text that is generated. */
  assets?: readonly BundleAsset[];
}

export type BundleAsset = { to: string } & ({ from: string } | { text: string });

/** `check-velocity.task` → `check-velocity` */
export function moduleName(entry: string): string {
  return entry.replace(/\.(task|trigger|routes)$/, (_, kind: string) => (kind === 'task' ? '' : `-${kind}`));
}

/**
 * One esbuild call with code splitting, then for each function a folder with only the chunks it reaches (hard links).
 * @returns entry → folder.
 */
export async function bundleFolders(
  entries: readonly BundleEntry[],
  outDir: string,
): Promise<Map<string, string>> {
  const shared = join(outDir, 'shared');
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(shared, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entries.map(({ entry, file }) => ({ in: file, out: moduleName(entry) })),
    outdir: shared,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    sourcemap: 'linked',
    sourcesContent: false,
    ...bundling(),
  });
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [join(ROOT, path), output]),
  );
  const folders = new Map<string, string>();
  for (const { entry, assets = [] } of entries) {
    const folder = join(outDir, moduleName(entry));
    mkdirSync(folder, { recursive: true });
    for (const file of closure(join(shared, `${moduleName(entry)}.mjs`), outputs)) {
      linkSync(file, join(folder, relative(shared, file)));
      linkSync(`${file}.map`, join(folder, `${relative(shared, file)}.map`));
    }
    for (const asset of assets) {
      const to = join(folder, asset.to);
      mkdirSync(dirname(to), { recursive: true });
      if ('text' in asset) writeFileSync(to, asset.text);
      else cpSync(asset.from, to, { recursive: true });
    }
    folders.set(entry, folder);
  }
  return folders;
}

/** How every function is bundled; tests measure with the same. */
export function bundling() {
  return {
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'error',
    mainFields: ['module', 'main'],
    conditions: ['module'],
    plugins: [builtinsThroughProcess, leanSdk],
  } satisfies BuildOptions;
}

/** As `bundleFolders`, as CDK assets. */
export async function bundle(entries: readonly BundleEntry[], outDir: string): Promise<Map<string, Code>> {
  const folders = await bundleFolders(entries, outDir);
  return new Map([...folders].map(([entry, folder]) => [entry, Code.fromAsset(folder)]));
}

type Outputs = Map<string, { imports: { path: string; external?: boolean }[] }>;

function closure(start: string, outputs: Outputs, seen = new Set<string>()): Set<string> {
  if (seen.has(start)) return seen;
  seen.add(start);
  for (const { path, external } of outputs.get(start)?.imports ?? []) {
    if (!external) closure(join(ROOT, path), outputs, seen);
  }
  return seen;
}

/** `process.getBuiltinModule` instead of an ESM import of a built-in: 22 % less import time. */
const builtinsThroughProcess: Plugin = {
  name: 'builtins-through-process',
  setup({ onResolve, onLoad }) {
    const names = new Set(builtinModules);
    onResolve({ filter: /^(node:)?[a-z_0-9/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      if (!names.has(name)) return null;
      // A chunk made of a CommonJS module exports only `default`; a lazy import wants the names.
      if (kind === 'dynamic-import') return { path: `node:${name}`, external: true };
      return { path: name, namespace: 'builtin' };
    });
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
      loader: 'js',
    }));
  },
};
