import { describe, expect, it } from 'vitest';
import { routeTable } from '../../../lib/local/http-api/routes.ts';

const table = (...keys: string[]) => routeTable(new Map(keys.map((key) => [key, key])));

describe('routeTable', () => {
  it('prefers literal over variable over greedy over $default, and a method over ANY', () => {
    const match = table('$default', 'ANY /{all+}', 'GET /v1/{id}', 'GET /v1/me', 'ANY /v1/me');
    expect(match('GET', '/v1/me')?.routeKey).toBe('GET /v1/me');
    expect(match('POST', '/v1/me')?.routeKey).toBe('ANY /v1/me');
    expect(match('GET', '/v1/7')).toMatchObject({ routeKey: 'GET /v1/{id}', pathParameters: { id: '7' } });
    expect(match('GET', '/a/b/c')).toMatchObject({
      routeKey: 'ANY /{all+}',
      pathParameters: { all: 'a/b/c' },
    });
    expect(match('GET', '/')?.routeKey).toBe('$default');
  });

  it('decodes parameters and answers nothing for another method, a longer path or broken encoding', () => {
    const match = table('GET /runs/{id}');
    expect(match('GET', '/runs/a%20b%2Fc')?.pathParameters).toEqual({ id: 'a b/c' });
    expect(match('POST', '/runs/a')).toBeUndefined();
    expect(match('GET', '/runs/a/b')).toBeUndefined();
    expect(match('GET', '/runs/%E0%A4%A')).toBeUndefined();
  });
});
