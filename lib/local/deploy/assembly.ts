// Which stacks does a synthesised assembly hold, in which order, and where are their assets?
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../types.ts';

export interface StackSource {
  name: string;
  template: Json;
  /** Artifact ids (stack names, for plain templates) that must be deployed before. */
  dependsOn: readonly string[];
  id: string;
}

export interface Assembly {
  /** Every stack comes after those it depends on. */
  stacks: readonly StackSource[];
  /** S3 object key of an asset → the folder or file on disk. */
  assets: ReadonlyMap<string, string>;
}

const readJson = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'));

/** Artifacts that carry nothing to deploy. */
const SILENT = new Set(['cdk:tree', 'cdk:feature-flag-report', 'cdk:asset-manifest']);

function inOrder(stacks: readonly StackSource[]): StackSource[] {
  const byId = new Map(stacks.map((stack) => [stack.id, stack]));
  const done = new Set<StackSource>();
  const open = new Set<StackSource>();
  const visit = (stack: StackSource) => {
    if (done.has(stack)) return;
    if (open.has(stack)) throw new Error(`cannot deploy ${stack.name}: its dependencies form a circle`);
    open.add(stack);
    for (const id of stack.dependsOn) {
      const before = byId.get(id);
      if (before !== undefined) visit(before);
    }
    done.add(stack);
  };
  for (const stack of stacks) visit(stack);
  return [...done];
}

/** Reads a `cdk.out` directory. @throws Error for artifacts that cannot be deployed here (nested assemblies). */
export function readAssembly(directory: string): Assembly {
  const { artifacts = {} } = readJson(join(directory, 'manifest.json')) as {
    artifacts?: Record<string, Json>;
  };
  const stacks: StackSource[] = [];
  const assets = new Map<string, string>();
  for (const [id, artifact] of Object.entries(artifacts)) {
    if (artifact.type === 'aws:cloudformation:stack') {
      stacks.push({
        id,
        name: artifact.properties.stackName ?? id,
        template: readJson(join(directory, artifact.properties.templateFile)),
        dependsOn: artifact.dependencies ?? [],
      });
    } else if (!SILENT.has(artifact.type)) {
      throw new Error(`cannot deploy ${id}: an artifact of type ${artifact.type} is not supported`);
    }
    if (artifact.type !== 'cdk:asset-manifest') continue;
    const { files = {} } = readJson(join(directory, artifact.properties.file)) as {
      files?: Record<string, Json>;
    };
    for (const file of Object.values(files)) {
      for (const destination of Object.values(file.destinations as Record<string, Json>)) {
        assets.set(destination.objectKey, join(directory, file.source.path));
      }
    }
  }
  return { stacks: inOrder(stacks), assets };
}

/** Plain templates by stack name, in the order given. */
export function plainTemplates(
  templates: Readonly<Record<string, Json>>,
  assets: Readonly<Record<string, string>> = {},
): Assembly {
  return {
    stacks: Object.entries(templates).map(([name, template]) => ({
      id: name,
      name,
      template,
      dependsOn: [],
    })),
    assets: new Map(Object.entries(assets)),
  };
}
