// Which audit records still wait for their chain, because the message about them was lost?
import * as z from 'zod';
import { sha256 } from './canonical.ts';
import { unchained } from './audit.ts';
import { defineTrigger } from './define-trigger.ts';
import { emitMetric } from './metrics.ts';
import { queueNeed } from './queue.ts';
import { tableNeed } from './table.ts';

/** Younger records are probably on their way. */
const GRACE_MS = 60_000;

/** The record is stored before its message is sent, so a message may be missing but never a record. */
export const { handler, trigger } = defineTrigger({
  name: 'SweepAudit',
  source: { kind: 'schedule', expression: 'rate(5 minutes)' },
  needs: { audit: tableNeed('audit', ['Query']), chain: queueNeed('audit-chain.fifo', 'send') },
  event: z.object({ scheduledTime: z.string() }),
  async run(_event, { audit, chain, clock, log }) {
    const waiting = (await unchained(audit)).filter(({ at }) => Date.parse(at) <= clock.now() - GRACE_MS);
    for (const { tenant, record, hash } of waiting) {
      await chain.send(
        { tenant, record, hash },
        { groupId: tenant, deduplicationId: sha256(`${tenant}#${record}`) },
      );
    }
    if (waiting.length > 0)
      log.warn('audit records were sent to their chain again', { count: waiting.length });
    emitMetric('sweep_runs_total', 1, { sweep: 'audit', status: 'succeeded' });
  },
});
