// How does the executor of changes get at a tenant's live ads?
import type { Need } from '../../runtime/need.ts';
import { accountPort, type AccountPort } from './account-port.ts';
import type { AdsWriter } from './live-ads.ts';
import { createMetaWriter } from './meta-write.ts';

export type AdsWriterPort = AccountPort<AdsWriter>;

/** For lambdas/changes alone. */
export const adsWriterPort: Need<AdsWriterPort> = accountPort<AdsWriter>(createMetaWriter);
