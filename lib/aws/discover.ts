// Which tasks, triggers, routes and state machines does the tree hold?
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RoutesSpec, TaskSpec, TriggerSpec } from '../../lambdas/runtime/specs.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Found<S> {
  /** Folder below lambdas/. */
  area: string;
  /** `check-velocity.task`: the bundle's entry and the handler's file. */
  entry: string;
  file: string;
  spec: S;
}

export interface Machine {
  /** `creative-generation` */
  name: string;
  file: string;
  definition: string;
}

export interface Tree {
  tasks: readonly Found<TaskSpec>[];
  triggers: readonly Found<TriggerSpec>[];
  routes: readonly Found<RoutesSpec>[];
  machines: readonly Machine[];
}

/** Imports every entry once. Importing reads no environment and builds no client. */
export async function discover(root: string = ROOT): Promise<Tree> {
  const tasks: Found<TaskSpec>[] = [];
  const triggers: Found<TriggerSpec>[] = [];
  const routes: Found<RoutesSpec>[] = [];
  for (const { area, file } of entryFiles(root)) {
    const module: unknown = await import(pathToFileURL(file).href);
    const entry = basename(file, '.ts');
    const {
      task,
      trigger,
      routes: http,
    } = module as { task?: TaskSpec; trigger?: TriggerSpec; routes?: RoutesSpec };
    if (task) tasks.push({ area, entry, file, spec: task });
    else if (trigger) triggers.push({ area, entry, file, spec: trigger });
    else if (http) routes.push({ area, entry, file, spec: http });
    else throw new Error(`${file} exports no task, trigger or routes: see docs/adding-a-step.md.`);
  }
  return { tasks, triggers, routes, machines: machines(root) };
}

function entryFiles(root: string): { area: string; file: string }[] {
  const lambdas = join(root, 'lambdas');
  return readdirSync(lambdas, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'ports')
    .flatMap(({ name: area }) =>
      readdirSync(join(lambdas, area))
        .filter((file) => /\.(task|trigger|routes)\.ts$/.test(file))
        .toSorted()
        .map((file) => ({ area, file: join(lambdas, area, file) })),
    );
}

function machines(root: string): Machine[] {
  const folder = join(root, 'statemachines');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.asl.json'))
    .toSorted()
    .map((file) => ({
      name: basename(file, '.asl.json'),
      file: join(folder, file),
      definition: readFileSync(join(folder, file), 'utf8'),
    }));
}
