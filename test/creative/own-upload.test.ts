// Is a key of another tenant told from one's own?
import { describe, expect, it } from 'vitest';
import { ownUpload } from '../../lambdas/creative/own-upload.ts';

describe('ownUpload', () => {
  it('passes the tenant’s own key on', () => {
    expect(ownUpload('acme', 'uploads/acme/video', 'request.source.key')).toBe('uploads/acme/video');
  });

  it.each([
    'uploads/other/video',
    'uploads/acme2/video',
    'acme/sources/video',
    'acme',
    '',
    'acme/uploads/x',
    'uploads/acme',
    '/uploads/acme/x',
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
