// What does the AWS SDK carry that no function of ours can use?
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/**
 * Lambda gives a function its credentials in the environment, and no call of ours streams events, so the other
 * credential sources (profiles, SSO, web identity, instance metadata: 100 KB), the event-stream codec (14 KB) and the
 * browser detector (34 KB) stay out of the bundles; so do endpoint discovery's cache and all but the version of each client's package.json. What is replaced fails with its name when it is reached.
 */
export const leanSdk: Plugin = {
  name: 'lean-sdk',
  setup({ onResolve, onLoad }) {
    for (const { filter, importer, contents } of REPLACED) {
      onResolve({ filter }, ({ path, importer: from }) =>
        importer.test(from) ? { path, namespace: 'lean-sdk', pluginData: contents } : null,
      );
    }
    onLoad({ filter: /.*/, namespace: 'lean-sdk' }, ({ pluginData }) => ({
      contents: pluginData as string,
      loader: 'js',
      resolveDir: import.meta.dirname,
    }));
    onLoad({ filter: /@aws-sdk[\\/][\w-]+[\\/]package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
    onLoad({ filter: /@aws-sdk[\\/].*schemas[\\/]schemas_\d+\.js$/ }, ({ path }) => ({
      contents: withoutComputedKeys(readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};

const REPLACED = [
  {
    filter: /^@aws-sdk\/credential-provider-node$/,
    importer: /@aws-sdk/,
    contents: `import { fromEnv } from '@aws-sdk/credential-provider-env';
      export const defaultProvider = () => fromEnv();`,
  },
  {
    // Only asked when endpoint discovery is switched on, which DynamoDB never needs.
    filter: /^@aws-sdk\/endpoint-cache$/,
    importer: /middleware-endpoint-discovery/,
    contents: 'export class EndpointCache {}',
  },
  { filter: /^bowser$/, importer: /@aws-sdk/, contents: 'export default undefined;' },
  {
    filter: /^@smithy\/core\/event-streams$/,
    importer: /client-s3|HttpProtocol/,
    contents: `export const eventStreamSerdeProvider = () => undefined;
      export const resolveEventStreamSerdeConfig = (config) => config;
      export class EventStreamSerde {
        constructor() { throw new Error('Event streams are left out of the bundles: lib/aws/lean-sdk.ts.'); }
      }`,
  },
];

/**
 * `{ [_h]: … }` → `{ "http": … }`. Evaluating a computed key may have an effect, so esbuild keeps the schema of every
 * S3 operation; a literal key has none, and the unused ones go (52 KB).
 */
function withoutComputedKeys(source: string): string {
  const constants = new Map(
    [...source.matchAll(/^const (\w+) = (".*");$/gm)].map(([, name = '', text = '']) => [name, text]),
  );
  return source.replace(/\[(\w+)\]:/g, (whole, name: string) => {
    const text = constants.get(name);
    return text === undefined ? whole : `${text}:`;
  });
}
