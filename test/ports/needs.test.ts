import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { adsReaderPort } from '../../lambdas/ports/ads/ads-reader-port.ts';
import { adsWriterPort } from '../../lambdas/ports/ads/ads-writer-port.ts';
import { publisherPort } from '../../lambdas/ports/ads/publisher-port.ts';
import { refusalOf } from '../../lambdas/ports/ads/refusals.ts';
import { drivePort } from '../../lambdas/ports/drive/drive-port.ts';
import { modelPort } from '../../lambdas/ports/model/model-port.ts';
import { speechPort } from '../../lambdas/ports/speech/speech-port.ts';
import { visionPort } from '../../lambdas/ports/vision/vision-port.ts';
import type { Need } from '../../lambdas/runtime/need.ts';
import { driveSecret } from '../../lib/sandbox/drive/drive.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { DEFAULT_API_KEY } from '../../lib/sandbox/openai/openai.ts';
import { failureOf, useWorld } from '../sandbox/world.ts';

const world = useWorld();
let vault: Server;
let vaultUrl = '';
let secretsRead = 0;

/** Secrets Manager as far as reading goes, and a DynamoDB in which nothing is ever found. */
beforeAll(async () => {
  vault = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.headers['x-amz-target']?.toString().startsWith('DynamoDB') === true) {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
        response.end('{}');
        return;
      }
      secretsRead += 1;
      const secrets: Record<string, unknown> = {
        'impresario/tenants/acme/meta': { accessToken: DEFAULT_ACCOUNT.tokens[0] },
        'impresario/tenants/acme/drive': driveSecret(world.sandbox.url),
        'impresario/platform/model': { apiKey: DEFAULT_API_KEY },
      };
      const value = secrets[(JSON.parse(body) as { SecretId: string }).SecretId];
      response.writeHead(value === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(
        JSON.stringify(
          value === undefined
            ? { __type: 'ResourceNotFoundException' }
            : { SecretString: JSON.stringify(value) },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  vaultUrl = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
});
afterAll(() => vault.close());

function open<T>(need: Need<T>, extra: Record<string, string> = {}): T {
  const env = {
    ...world.sandbox.environment(),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: vaultUrl,
    AWS_ENDPOINT_URL_DYNAMODB: vaultUrl,
    TABLE_CIRCUITS: 'circuits',
    META_API_VERSION: 'v25.0',
    BUCKET_MEDIA: 'media',
    ...extra,
  };
  return need.open(env, { clock: world.clock });
}

describe('publisher', () => {
  it('opens with the tenant’s own credential', async () => {
    const port = open(publisherPort);
    const ads = await port.for({
      tenant: 'acme',
      accountId: DEFAULT_ACCOUNT.id,
      secret: 'tenants/acme/meta',
    });
    expect((await ads.account()).currency).toBe('USD');
  });

  it.each([
    ['acme', 'tenants/other/meta'],
    ['acm', 'tenants/acme/meta'],
    ['other', 'tenants/other/meta'],
  ])('refuses tenant %s the secret %s', async (tenant, secret) => {
    const error = await failureOf(open(publisherPort).for({ tenant, accountId: '1', secret }));
    expect(error.name).toBe('Refused');
  });

  it('names the variable that is missing', () => {
    expect(() => open(publisherPort, { META_API_VERSION: 'newest' })).toThrow(/META_API_VERSION/);
    expect(() => open(publisherPort, { META_BASE_URL: '' })).toThrow(/META_BASE_URL/);
  });

  it('grants nothing but the tenants’ secrets and the circuits', () => {
    const touched = publisherPort.grants.map(({ on }) => on);
    expect(touched).toEqual([
      { kind: 'secret', prefix: 'tenants/' },
      { kind: 'table', name: 'circuits' },
    ]);
  });

  it('leaves a failing vendor alone, except to undo', async () => {
    const account = { tenant: 'acme', accountId: DEFAULT_ACCOUNT.id, secret: 'tenants/acme/meta' };
    const port = open(publisherPort);
    const ads = await port.for(account);
    world.sandbox.meta.fail({ with: 'server-error', times: 5 });
    for (let call = 0; call < 5; call += 1) expect((await failureOf(ads.account())).vendorCode).toBe('2');
    expect((await failureOf(ads.account())).vendorCode).toBe('circuit-open');
    expect(world.sandbox.meta.requests).toHaveLength(5);
    expect(ads.usage()).not.toBeNull();
    const undoing = await port.for(account, { evenIfFailing: true });
    expect(await undoing.remove('campaign', '1')).toBe(false);
  });

  it('goes on calling a vendor that says no', async () => {
    const ads = await open(publisherPort).for({
      tenant: 'acme',
      accountId: DEFAULT_ACCOUNT.id,
      secret: 'tenants/acme/meta',
    });
    world.sandbox.meta.fail({ with: 'permission', times: 9 });
    for (let call = 0; call < 9; call += 1) expect((await failureOf(ads.account())).name).toBe('Refused');
  });
});

describe('live ads', () => {
  const account = { tenant: 'acme', accountId: DEFAULT_ACCOUNT.id, secret: 'tenants/acme/meta' };

  it('are reached with a new token as soon as the old one was refused', async () => {
    const port = open(adsReaderPort);
    world.sandbox.meta.fail({ with: 'expired-token' });
    expect(refusalOf(await failureOf((await port.for(account)).account()))).toBe('credential');
    const asked = secretsRead;
    await port.for(account);
    expect(secretsRead).toBe(asked + 1);
    await port.for(account);
    expect(secretsRead).toBe(asked + 1);
  });

  it('are read and written with the tenant’s own credential', async () => {
    const id = world.sandbox.meta.addCampaign(DEFAULT_ACCOUNT.id);
    const ref = { kind: 'campaign', id } as const;
    const writing = await open(adsWriterPort).for(account);
    await writing.update(ref, { status: 'PAUSED' });
    const reading = await open(adsReaderPort).for(account);
    expect(await reading.live(ref)).toMatchObject({ status: 'PAUSED' });
    expect(reading).not.toHaveProperty('update');
    expect(reading.usage()).not.toBeNull();
  });

  it('need no more than publishing does', () => {
    expect(adsReaderPort.grants).toEqual(publisherPort.grants);
    expect(adsWriterPort.grants).toEqual(publisherPort.grants);
  });

  it.each([
    ['acme', 'tenants/other/meta'],
    ['other', 'tenants/other/meta'],
  ])('of tenant %s with the secret %s: there is no connection', async (tenant, secret) => {
    for (const need of [adsReaderPort, adsWriterPort]) {
      const error = await failureOf(
        open<{ for(ref: object): Promise<object> }>(need).for({ ...account, tenant, secret }),
      );
      expect(refusalOf(error)).toBe('credential');
      expect(error.message).toContain(secret);
    }
  });

  it('are left alone while the vendor is failing, except to undo', async () => {
    const port = open(adsWriterPort);
    const ads = await port.for(account);
    const ref = { kind: 'ad', id: '1' } as const;
    world.sandbox.meta.fail({ with: 'server-error', times: 5 });
    for (let call = 0; call < 5; call += 1) await failureOf(ads.live(ref));
    expect((await failureOf(ads.update(ref, { status: 'PAUSED' }))).vendorCode).toBe('circuit-open');
    expect(await (await port.for(account, { evenIfFailing: true })).live(ref)).toBeNull();
  });
});

describe('drive', () => {
  it('opens with the tenant’s own credential and no other', async () => {
    const drive = await open(drivePort).for({ tenant: 'acme', secret: 'tenants/acme/drive' });
    expect(await drive.startToken()).toMatch(/^\d+$/);
    expect((await failureOf(open(drivePort).for({ tenant: 'a', secret: 'tenants/acme/drive' }))).name).toBe(
      'Refused',
    );
  });
});

describe('providers', () => {
  it('none is null: what is missing is missing, not empty', () => {
    expect(open(visionPort, { VISION_PROVIDER: 'none' })).toBeNull();
    expect(open(speechPort, { SPEECH_PROVIDER: 'none' })).toBeNull();
    expect(open(modelPort, { MODEL_PROVIDER: 'none' })).toBeNull();
  });

  it('an unknown one names its variable', () => {
    expect(() => open(visionPort, { VISION_PROVIDER: 'eyes' })).toThrow(/VISION_PROVIDER/);
    expect(() => open(speechPort, { SPEECH_PROVIDER: 'ears' })).toThrow(/SPEECH_PROVIDER/);
    expect(() => open(modelPort, { MODEL_PROVIDER: 'oracle' })).toThrow(/MODEL_PROVIDER/);
    expect(() => open(modelPort, { MODEL_PROVIDER: 'bedrock' })).toThrow(/MODEL_NAME/);
    expect(() => open(modelPort, { MODEL_PROVIDER: 'openai', MODEL_NAME: 'm', MODEL_BASE_URL: '' })).toThrow(
      /MODEL_BASE_URL/,
    );
  });

  it('rekognition looks', async () => {
    const vision = open(visionPort, { VISION_PROVIDER: 'rekognition' });
    expect(await vision?.look({ bucket: 'media', key: 'acme/frames/x/s01.jpg' })).toEqual({
      objects: [],
      texts: [],
    });
  });

  it('openai and bedrock complete', async () => {
    const completion = {
      task: 't',
      system: 's',
      user: 'u',
      schema: z.object({ ok: z.boolean() }),
      maxTokens: 9,
      temperature: 0,
      seed: 1,
    };
    for (const provider of ['openai', 'bedrock']) {
      const model = await open(modelPort, { MODEL_PROVIDER: provider, MODEL_NAME: 'm' })?.();
      expect(model?.name).toBe(`${provider}/m`);
      expect(await model?.complete(completion)).toEqual({ ok: false });
    }
  });

  it('openai without its secret is Refused', async () => {
    const speech = open(speechPort, { SPEECH_PROVIDER: 'openai' });
    expect((await failureOf(speech?.() ?? Promise.resolve())).name).toBe('Refused');
    expect(await open(speechPort, { SPEECH_PROVIDER: 'transcribe' })?.()).toHaveProperty('start');
  });
});
