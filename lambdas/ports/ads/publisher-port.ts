// How does a task get a publisher for a tenant's ad account?
import type { Need } from '../../runtime/need.ts';
import { accountPort, type AccountPort } from './account-port.ts';
import { createMetaPublisher } from './meta.ts';
import type { Publisher } from './publisher.ts';

export type PublisherPort = AccountPort<Publisher>;

export const publisherPort: Need<PublisherPort> = accountPort<Publisher>(createMetaPublisher);
