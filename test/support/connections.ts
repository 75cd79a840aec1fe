// Where do a test's tasks find the outside world, and what has their tenant connected?
import type * as z from 'zod';
import type { Settings } from '../../lambdas/runtime/settings.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import type { Sandbox } from '../../lib/sandbox/sandbox.ts';

/** Variables of a stage whose vendors are the sandbox; without model, eyes and ears. */
export function vendors(sandbox: Sandbox): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    FFMPEG_PATH: process.env['FFMPEG_PATH'] ?? '',
    ...sandbox.environment(),
    META_API_VERSION: 'v25.0',
    MODEL_PROVIDER: 'none',
    MODEL_NAME: 'test',
    VISION_PROVIDER: 'none',
    SPEECH_PROVIDER: 'none',
    RENDER_PRESET: 'draft',
    OUTBOUND_ALLOW_HOSTS: new URL(sandbox.url).host,
  };
}

/** The sandbox's ad account and Drive, by secrets of the tenant's own. */
export function connected(tenant: string): z.input<typeof Settings> {
  return {
    adAccounts: [
      {
        id: DEFAULT_ACCOUNT.id,
        currency: DEFAULT_ACCOUNT.currency,
        timeZone: DEFAULT_ACCOUNT.timeZone,
        pageId: DEFAULT_ACCOUNT.pageIds[0] ?? '',
        secret: `tenants/${tenant}/meta`,
      },
    ],
    connections: { drive: `tenants/${tenant}/drive` },
  };
}
