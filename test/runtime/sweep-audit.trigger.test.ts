// Does a record whose message was lost still reach its chain?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ChainMessage,
  chainMessage,
  readAudit,
  storeRecord,
  verifyAudit,
} from '../../lambdas/runtime/audit.ts';
import { trigger as chainTrigger } from '../../lambdas/runtime/chain-audit.trigger.ts';
import { queueNeed } from '../../lambdas/runtime/queue.ts';
import { trigger } from '../../lambdas/runtime/sweep-audit.trigger.ts';
import { tableNeed } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
beforeAll(async () => {
  plane = await startDataPlane({ queues: ['audit-chain.fifo'] });
});
afterAll(() => plane.cloud.close());

describe('SweepAudit', () => {
  it('sends what waits longer than a minute, once, and chaining it ends the wait', async () => {
    const audit = plane.open(tableNeed('audit', 'transact'));
    const queue = plane.open(queueNeed('audit-chain.fifo', 'send', 'receive', 'depth'));
    const record = {
      tenant: 'acme',
      id: '1',
      at: new Date(plane.clock.now()).toISOString(),
      actor: 'ada',
      action: 'x',
      subject: 'y',
      details: {},
    };
    await storeRecord(audit, record);
    const sweep = () =>
      trigger.run({ scheduledTime: '2026-03-01T00:00:00Z' }, { audit, chain: queue, clock: plane.clock });
    plane.clock.advance(59_000);
    await sweep();
    expect(await queue.depth()).toMatchObject({ visible: 0 });
    plane.clock.advance(1_000);
    await sweep();
    await sweep();
    expect(await queue.depth()).toMatchObject({ visible: 1 });
    const [message] = await queue.receive();
    const body = ChainMessage.parse(JSON.parse(message?.body ?? '{}'));
    expect(body).toEqual(chainMessage(record));
    await chainTrigger.run(body, { audit });
    expect(verifyAudit(await readAudit(audit, 'acme'), plane.clock.now())).toMatchObject({
      valid: true,
      chained: 1,
      tail: { count: 0 },
    });
  });
});
