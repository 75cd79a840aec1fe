// Which source files are there, and what does each import?
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
const GENERATED = new Set(['node_modules', '.git', 'cdk.out', '.impresario', 'coverage']);

/** Paths from the root, of everything that is kept. */
export function files(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !GENERATED.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? files(path) : [path];
    })
    .toSorted();
}

export function sources(...folders: string[]): string[] {
  return folders.flatMap((folder) => files(folder)).filter((path) => path.endsWith('.ts'));
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export interface Import {
  /** A path from the root for our own files; otherwise the package or built-in as written. */
  from: string;
  own: boolean;
  typeOnly: boolean;
}

/** Static and dynamic imports, and re-exports. */
export function importsOf(path: string): Import[] {
  const statements = read(path).matchAll(
    /^(?:import|export)\s+(type\s+)?((?:[\w*\s{},$]|\btype\b)*?)\s*from\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, typeWord, names = '', from = '', dynamic]) => {
    const target = dynamic ?? from;
    const own = target.startsWith('.');
    const named = /^\{([^]*)\}$/
      .exec(names.trim())?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    return {
      from: own ? relative(ROOT, join(ROOT, dirname(path), target)) : target,
      own,
      typeOnly: typeWord !== undefined || (named?.every((name) => name.trim().startsWith('type ')) ?? false),
    };
  });
}

/** What running this file brings in: packages and built-ins, each with the chain of our files that leads there. */
export function reaches(path: string, seen = new Map<string, string>(), chain = path): Map<string, string> {
  for (const { from, own, typeOnly } of importsOf(path)) {
    if (typeOnly || seen.has(from)) continue;
    seen.set(from, `${chain} → ${from}`);
    if (own && existsSync(join(ROOT, from))) reaches(from, seen, `${chain} → ${from}`);
  }
  return seen;
}
