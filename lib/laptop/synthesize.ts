// How do the stacks become templates without the CDK's command line?
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib/core';
import { addStacks } from '../aws/app.ts';
import { ROOT } from '../aws/discover.ts';
import type { Stage } from '../aws/stages.ts';

/**
 * Synthesises the same stacks as `cdk synth` into a folder, without the checks that CI makes.
 * @returns the folder.
 */
export async function synthesize(stage: Stage, outDir: string): Promise<string> {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const app = new App({ outdir: outDir, context, analyticsReporting: false });
  await addStacks(app, { stage, bundleDir: `${outDir}-bundles`, validate: false });
  app.synth({ skipValidation: true });
  return outDir;
}
