// How does a task read what is live in a tenant's ad account?
import type { Need } from '../../runtime/need.ts';
import { accountPort, type AccountPort } from './account-port.ts';
import type { AdsReader } from './live-ads.ts';
import { createMetaReader } from './meta-live.ts';

export type AdsReaderPort = AccountPort<AdsReader>;

export const adsReaderPort: Need<AdsReaderPort> = accountPort<AdsReader>(createMetaReader);
