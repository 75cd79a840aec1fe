// What does a whole Impresario on one machine consist of?
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { FfmpegLocation } from '../../lambdas/creative/media/ffmpeg.ts';
import { openSettingsWriter, openSettings, Settings } from '../../lambdas/runtime/settings.ts';
import { openTable } from '../../lambdas/runtime/table.ts';
import { createCloud, type Cloud, type CloudOptions } from '../local/cloud.ts';
import { createIssuer, type Issuer } from '../local/issuer.ts';
import { driveSecret } from '../sandbox/drive/drive.ts';
import { DEFAULT_ACCOUNT } from '../sandbox/meta/accounts.ts';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts';

/** Stage of everything on a laptop: names are `impresario-dev-…`. */
export const LAPTOP_STAGE = 'dev';
/** The tenant that a laptop starts with. */
export const DEMO_TENANT = 'demo';

export interface WorldOptions {
  time: CloudOptions['time'];
  /** A synthesised `cdk.out`. */
  assembly: string;
  /** Null: states that need it fail saying how to install it. */
  ffmpeg: FfmpegLocation | null;
  /** Simulated Rekognition and Transcribe; otherwise labels and words are missing. */
  perception?: boolean;
  startAt?: number;
  seed?: number;
  awsPort?: number;
  apiPort?: number;
  /** Wins over everything the world sets for its functions. */
  environment?: Readonly<Record<string, string>>;
  onLog?: CloudOptions['onLog'];
}

export interface World {
  cloud: Cloud;
  sandbox: Sandbox;
  issuer: Issuer;
  /** A table of ours through the AWS endpoint, as a function would open it. */
  table(name: string): ReturnType<typeof openTable>;
  /** Connects a tenant to the sandbox's ad account and Drive. */
  connect(tenant: string, settings?: Partial<Settings>): Promise<void>;
  close(): Promise<void>;
}

/** Sandbox, issuer and embedded cloud with the stacks deployed. @throws Error naming a port that is taken. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const started: { cloud?: Cloud } = {};
  const now = (): number => started.cloud?.clock.now() ?? options.startAt ?? Date.now();
  const sandbox = await startSandbox({
    now,
    random: seeded(options.seed ?? 1),
    async putObject(bucket, key, body) {
      await started.cloud?.call('s3', 'PutObject', { Bucket: bucket, Key: key, Body: Buffer.from(body) });
    },
  });
  const issuer = await createIssuer({ now });
  try {
    const cloud = await createCloud({
      time: options.time,
      ...(options.startAt === undefined ? {} : { startAt: options.startAt }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.awsPort === undefined ? {} : { awsPort: options.awsPort }),
      ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
      jwt: { issuer: issuer.issuer, audience: issuer.audience },
      functionEnvironment: { ...laptopEnvironment(sandbox, options), ...options.environment },
    });
    started.cloud = cloud;
    await cloud.deploy(options.assembly);
    return world(cloud, sandbox, issuer);
  } catch (error) {
    await Promise.all([started.cloud?.close(), sandbox.close(), issuer.close()]);
    throw error;
  }
}

function laptopEnvironment(
  sandbox: Sandbox,
  { ffmpeg, perception = false }: WorldOptions,
): Record<string, string> {
  return {
    ...sandbox.environment(),
    MODEL_PROVIDER: 'none',
    VISION_PROVIDER: perception ? 'rekognition' : 'none',
    SPEECH_PROVIDER: perception ? 'transcribe' : 'none',
    RENDER_PRESET: 'draft',
    OUTBOUND_ALLOW_HOSTS: new URL(sandbox.url).host,
    ...(ffmpeg === null ? {} : { FFMPEG_PATH: ffmpeg.path }),
  };
}

function world(cloud: Cloud, sandbox: Sandbox, issuer: Issuer): World {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: cloud.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'laptop', secretAccessKey: 'laptop' },
    }),
    { marshallOptions: { removeUndefinedValues: true } },
  );
  const table: World['table'] = (name) => openTable(client, `impresario-${LAPTOP_STAGE}-${name}`);
  return {
    cloud,
    sandbox,
    issuer,
    table,
    async connect(tenant, settings = {}) {
      const secrets = {
        meta: { accessToken: DEFAULT_ACCOUNT.tokens[0] },
        drive: driveSecret(sandbox.url),
      };
      for (const [vendor, value] of Object.entries(secrets)) {
        await cloud.call('secretsmanager', 'CreateSecret', {
          Name: `impresario/tenants/${tenant}/${vendor}`,
          SecretString: JSON.stringify(value),
        });
      }
      const { version } = await openSettings(table('settings')).current(tenant);
      await openSettingsWriter(table('settings'), table('audit').name).save({
        tenant,
        expectedVersion: version,
        settings: Settings.parse({
          adAccounts: [
            {
              id: DEFAULT_ACCOUNT.id,
              currency: DEFAULT_ACCOUNT.currency,
              timeZone: DEFAULT_ACCOUNT.timeZone,
              pageId: DEFAULT_ACCOUNT.pageIds[0],
              pixelId: DEFAULT_ACCOUNT.pixelIds[0],
              secret: `tenants/${tenant}/meta`,
            },
          ],
          connections: { drive: `tenants/${tenant}/drive` },
          ...settings,
        }),
        actor: 'laptop',
        nowMs: cloud.clock.now(),
      });
    },
    async close() {
      client.destroy();
      await cloud.close();
      await Promise.all([sandbox.close(), issuer.close()]);
    },
  };
}

/** Park–Miller: enough for a simulator's ids. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
