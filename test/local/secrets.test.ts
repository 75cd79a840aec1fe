import { describe, expect, it } from 'vitest';
import { createClock } from '../../lib/local/clock.ts';
import { createSecrets } from '../../lib/local/secrets.ts';
import type { Json } from '../../lib/local/types.ts';

function store() {
  const clock = createClock({ mode: 'virtual', startAt: Date.UTC(2026, 0, 1) });
  const secrets = createSecrets({
    clock,
    random: () => 0.5,
    call: () => Promise.reject(new Error('no calls')),
  });
  const api = (operation: string, input: Json = {}): Promise<Json> =>
    secrets.call(operation, input, { principal: { kind: 'administrator' } });
  return { secrets, api };
}

describe('secrets', () => {
  it('keep their current and previous value', async () => {
    const { api } = store();
    const { ARN } = await api('CreateSecret', { Name: 'impresario/meta', SecretString: 'one' });
    expect(ARN).toMatch(/:secret:impresario\/meta-\w{6}$/);
    await api('PutSecretValue', { SecretId: ARN, SecretString: 'two', ClientRequestToken: 'v2' });
    await api('PutSecretValue', { SecretId: ARN, SecretString: 'two', ClientRequestToken: 'v2' });
    expect(await api('GetSecretValue', { SecretId: 'impresario/meta' })).toMatchObject({
      SecretString: 'two',
      VersionId: 'v2',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: Date.UTC(2026, 0, 1) / 1000,
    });
    const previous = { SecretId: 'impresario/meta', VersionStage: 'AWSPREVIOUS' };
    expect((await api('GetSecretValue', previous)).SecretString).toBe('one');
    expect(Object.keys((await api('DescribeSecret', { SecretId: ARN })).VersionIdsToStages)).toHaveLength(2);
    expect((await api('ListSecrets')).SecretList).toHaveLength(1);
  });

  it('are refused as Secrets Manager refuses', async () => {
    const { api } = store();
    await api('CreateSecret', { Name: 'a' });
    await expect(api('CreateSecret', { Name: 'a' })).rejects.toMatchObject({
      code: 'ResourceExistsException',
    });
    await expect(api('GetSecretValue', { SecretId: 'a' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await expect(api('GetSecretValue', { SecretId: 'b' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await expect(api('PutSecretValue', { SecretId: 'a' })).rejects.toMatchObject({
      code: 'InvalidRequestException',
    });
    await expect(api('RotateSecret', { SecretId: 'a' })).rejects.toThrow('RotateSecret');
  });

  it('need permission for their full ARN, however they are named', async () => {
    const { api, secrets } = store();
    const { ARN } = await api('CreateSecret', { Name: 'a', SecretString: 'x' });
    for (const SecretId of ['a', ARN, ARN.slice(0, -7)]) {
      expect(secrets.authorization('GetSecretValue', { SecretId })).toEqual([
        { action: 'secretsmanager:GetSecretValue', resource: ARN },
      ]);
    }
    expect(secrets.authorization('GetSecretValue', { SecretId: 'none' })[0]!.resource).toMatch(/none-\w{6}$/);
  });
});
