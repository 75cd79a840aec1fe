// Where does a new audit record stand in its tenant's chain?
import { ChainMessage, chainRecord } from './audit.ts';
import { defineTrigger } from './define-trigger.ts';
import { tableNeed } from './table.ts';

/** The only writer of chains. FIFO with the tenant as group, so that a tenant's records are chained one after the other. */
export const { handler, trigger } = defineTrigger({
  name: 'ChainAudit',
  source: { kind: 'queue', queue: 'audit-chain', fifo: true },
  needs: { audit: tableNeed('audit', ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']) },
  event: ChainMessage,
  async run(message, { audit, log }) {
    const added = await chainRecord(audit, message);
    log.info(added ? 'record chained' : 'record was chained already', { record: message.record });
  },
});
