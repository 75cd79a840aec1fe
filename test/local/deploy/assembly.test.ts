import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readAssembly } from '../../../lib/local/deploy/assembly.ts';
import type { Json } from '../../../lib/local/types.ts';

function assembly(artifacts: Json): string {
  const directory = mkdtempSync(join(tmpdir(), 'assembly-'));
  const write = (name: string, content: Json) =>
    writeFileSync(join(directory, name), JSON.stringify(content));
  mkdirSync(join(directory, 'asset.abc'));
  write('manifest.json', { artifacts });
  write('a.template.json', { Resources: {} });
  write('b.template.json', { Resources: { B: {} } });
  write('a.assets.json', {
    files: {
      abc: {
        source: { path: 'asset.abc', packaging: 'zip' },
        destinations: { current: { bucketName: 'assets', objectKey: 'abc.zip' } },
      },
    },
  });
  return directory;
}
const stack = (templateFile: string, more: Json = {}) => ({
  type: 'aws:cloudformation:stack',
  properties: { templateFile, ...more },
});

it('puts stacks after those they depend on and finds their assets', () => {
  const directory = assembly({
    Tree: { type: 'cdk:tree' },
    areas: {
      ...stack('b.template.json', { stackName: 'app-areas' }),
      dependencies: ['platform', 'a.assets'],
    },
    'a.assets': { type: 'cdk:asset-manifest', properties: { file: 'a.assets.json' } },
    platform: stack('a.template.json'),
  });
  const { stacks, assets } = readAssembly(directory);
  expect(stacks.map(({ name }) => name)).toEqual(['platform', 'app-areas']);
  expect(stacks[1]?.template).toEqual({ Resources: { B: {} } });
  expect(assets.get('abc.zip')).toBe(join(directory, 'asset.abc'));
});

it('refuses circles and artifacts it does not know', () => {
  const circle = assembly({
    a: { ...stack('a.template.json'), dependencies: ['b'] },
    b: { ...stack('b.template.json'), dependencies: ['a'] },
  });
  expect(() => readAssembly(circle)).toThrow('cannot deploy a: its dependencies form a circle');
  const nested = assembly({ Prod: { type: 'cdk:cloud-assembly', properties: {} } });
  expect(() => readAssembly(nested)).toThrow('cannot deploy Prod: an artifact of type cdk:cloud-assembly');
});
