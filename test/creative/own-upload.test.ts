// Is a key of another tenant told from one's own?
import { describe, expect, it } from 'vitest';
import { ownUpload } from '../../lambdas/creative/own-upload.ts';

describe('ownUpload', () => {
  it('passes the tenant’s own key on', () => {
    expect(ownUpload('acme', 'acme/uploads/video', 'request.source.key')).toBe('acme/uploads/video');
  });

  it.each([
    'other/uploads/video',
    'acme2/uploads/video',
    'acme/sources/video',
    'acme',
    '',
    '/acme/uploads/x',
  ])('refuses %j and names the field', (key) => {
    expect(() => ownUpload('acme', key, 'request.source.key')).toThrow(
      expect.objectContaining({
        name: 'InvalidInput',
        path: 'request.source.key',
        message: 'The upload belongs to another tenant.',
      }),
    );
  });
});
