// Does this run play the whole suite, and where do its worlds note the rights that they needed?
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder for the notes; undefined in runs that have other configurations. */
    grantUse: string | undefined;
    /** Why this run cannot say what the suite never does; undefined when it can. */
    partial: string | undefined;
  }
}

/** Before the first test of a run; the answer is called after its last. */
export default async function setup({ vitest, provide, config }: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'grant-use-'));
  const chosen = new Set(vitest.state.getPaths());
  const left = (await vitest.globTestSpecifications())
    .map(({ moduleId }) => moduleId)
    .filter((path) => !chosen.has(path));
  const pattern = vitest.getGlobalTestNamePattern();
  provide('grantUse', folder);
  provide('partial', partial());
  return () => rmSync(folder, { recursive: true, force: true });

  function partial(): string | undefined {
    if (config.watch) return 'a watched run repeats only what was touched';
    if (pattern !== undefined) return `only tests called ${String(pattern)} were chosen`;
    const [one] = left;
    if (one === undefined) return undefined;
    return `${left.length} test files were left out, ${relative(config.root, one)} among them`;
  }
}
