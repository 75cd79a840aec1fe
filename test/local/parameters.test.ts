import { describe, expect, it } from 'vitest';
import { createClock } from '../../lib/local/clock.ts';
import { createParameters } from '../../lib/local/parameters.ts';
import type { Json } from '../../lib/local/types.ts';

function store() {
  const clock = createClock({ mode: 'virtual', startAt: Date.UTC(2026, 0, 1) });
  const parameters = createParameters({
    clock,
    random: () => 0.5,
    call: () => Promise.reject(new Error('no calls')),
  });
  const api = (operation: string, input: Json): Promise<Json> =>
    parameters.call(operation, input, { principal: { kind: 'administrator' } });
  return { parameters, api };
}

describe('parameters', () => {
  it('are put, overwritten and read', async () => {
    const { api } = store();
    await api('PutParameter', { Name: '/a/b', Type: 'String', Value: '1' });
    await expect(api('PutParameter', { Name: '/a/b', Value: '2' })).rejects.toMatchObject({
      code: 'ParameterAlreadyExists',
    });
    expect(await api('PutParameter', { Name: '/a/b', Value: '2', Overwrite: true })).toMatchObject({
      Version: 2,
    });
    expect((await api('GetParameter', { Name: '/a/b' })).Parameter).toMatchObject({
      Name: '/a/b',
      Value: '2',
      Type: 'String',
      ARN: 'arn:aws:ssm:us-east-1:000000000000:parameter/a/b',
    });
    const several = await api('GetParameters', { Names: ['/a/b', 'c'] });
    expect(several.Parameters).toHaveLength(1);
    expect(several.InvalidParameters).toEqual(['c']);
  });

  it('are refused as the parameter store refuses', async () => {
    const { api, parameters } = store();
    await expect(api('GetParameter', { Name: 'x' })).rejects.toMatchObject({ code: 'ParameterNotFound' });
    await expect(api('PutParameter', { Name: 'x', Value: '' })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await expect(api('PutParameter', { Name: 'x', Type: 'Odd', Value: '1' })).rejects.toMatchObject({
      code: 'UnsupportedParameterType',
    });
    await expect(api('GetParametersByPath', { Path: '/' })).rejects.toThrow('not supported');
    expect(parameters.authorization('GetParameters', { Names: ['/a', 'b'] })).toEqual([
      { action: 'ssm:GetParameters', resource: 'arn:aws:ssm:us-east-1:000000000000:parameter/a' },
      { action: 'ssm:GetParameters', resource: 'arn:aws:ssm:us-east-1:000000000000:parameter/b' },
    ]);
  });
});
