// Which stacks make up Impresario, in which order?
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib/core';
import { Tags, Validations } from 'aws-cdk-lib/core';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AreaStack } from './area-stack.ts';
import { bundle, type BundleAsset, type BundleEntry } from './bundle.ts';
import { discover, ROOT, type Found, type Tree } from './discover.ts';
import { watchOver } from './operations-stack.ts';
import { PlatformStack } from './platform-stack.ts';
import { scheduledWorkers } from './scheduled-workers.ts';
import { stageConfig, type StageOverrides } from './stages.ts';
import { openApi } from '../../lambdas/runtime/openapi.ts';
import type { FunctionSpec } from '../../lambdas/runtime/specs.ts';

export interface AppOptions {
  stage: unknown;
  overrides?: StageOverrides;
  /** Folder for the bundles. */
  bundleDir?: string;
  /** Run cdk-nag at synth; true unless told. */
  validate?: boolean;
  /** Already bundled code; template tests pass inline code and need no bundler. */
  codes?: ReadonlyMap<string, Code>;
}

export interface Stacks {
  platform: PlatformStack;
  areas: readonly AreaStack[];
  operations: AreaStack;
}

/** Adds every stack to the app. Stacks point only backwards: platform, areas, operations. */
export async function addStacks(app: App, options: AppOptions): Promise<Stacks> {
  const { stage, config } = stageConfig(options.stage, options.overrides);
  const tree = await discover();
  const codes =
    options.codes ??
    (await bundle(bundleEntries(tree), options.bundleDir ?? join(ROOT, '.impresario', 'bundles', stage)));
  const env = stackEnvironment();
  const named = (name: string) => ({ stackName: `impresario-${stage}-${name}`, ...env });

  const platform = new PlatformStack(app, 'platform', { ...named('platform'), stage, config });
  const areas = areasOf(tree).map(
    (area) => new AreaStack(app, area, { ...named(area), platform, area, tree, codes }),
  );
  const operations = new AreaStack(app, 'operations', {
    ...named('operations'),
    platform,
    area: 'runtime',
    tree,
    codes,
  });
  watchOver(operations, { platform, areas });
  Tags.of(app).add('product', 'impresario');
  Tags.of(app).add('stage', stage);
  if (options.validate !== false) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { platform, areas, operations };
}

/** Functions that draw text carry their font: Lambda has none, and fontconfig is never asked. */
const FONTS = [
  {
    from: join(ROOT, 'node_modules/@expo-google-fonts/inter/900Black/Inter_900Black.ttf'),
    to: 'fonts/Inter_900Black.ttf',
  },
  { from: join(ROOT, 'node_modules/@expo-google-fonts/inter/LICENSE_FONT'), to: 'fonts/LICENSE_FONT' },
];

/** The function that serves the API's description, and has no right but to read it beside itself. */
const API_DOCUMENT = { entry: 'openapi.routes', to: 'openapi.json' };

/** The function that says whether each of them still comes. */
const WORKER_LIST = { entry: 'health.routes', to: 'workers.json' };

export function bundleEntries(tree: Tree): BundleEntry[] {
  const found: Found<FunctionSpec>[] = [...tree.tasks, ...tree.triggers, ...tree.routes];
  const workers = scheduledWorkers(tree.triggers.map(({ spec }) => spec));
  return found.map(({ entry, file, spec }) => {
    const drawsText = Object.values(spec.needs).some((need) => need.layers?.includes('ffmpeg'));
    const assets: BundleAsset[] = [
      ...(drawsText ? FONTS : []),
      ...(entry === API_DOCUMENT.entry
        ? [{ to: API_DOCUMENT.to, text: JSON.stringify(apiDocument(tree)) }]
        : []),
      ...(entry === WORKER_LIST.entry ? [{ to: WORKER_LIST.to, text: JSON.stringify(workers) }] : []),
    ];
    return { entry, file, assets };
  });
}

/** OpenAPI 3.1 of every route in the tree. */
export function apiDocument(tree: Pick<Tree, 'routes'>): Record<string, unknown> {
  const { version, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
    description: string;
  };
  const specs = tree.routes.map(({ spec }) => spec);
  return openApi(specs, { title: 'Impresario', version, description });
}

function areasOf(tree: Tree): string[] {
  return [...new Set([...tree.tasks, ...tree.triggers, ...tree.routes].map(({ area }) => area))]
    .filter((area) => area !== 'runtime')
    .toSorted();
}

/** Account and region of the credentials in use; none: the template is for any environment. */
function stackEnvironment(): { env?: { account: string; region: string } } {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  return account && region ? { env: { account, region } } : {};
}
