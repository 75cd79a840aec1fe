// What was said on the bus, and what lies in a queue?
import { queueNeed } from '../../lambdas/runtime/queue.ts';
import type { DataPlane } from '../runtime/data-plane.ts';

/** Queue that `hear` sends everything to: the data plane must be started with it. */
export const HEARD = 'heard';

/** An event without its envelope. */
export interface Said {
  name: string;
  detail: Record<string, unknown>;
}

/** Every event of the platform's bus also goes to a queue. */
export async function hear({ cloud }: DataPlane): Promise<void> {
  const arn = `arn:aws:sqs:us-east-1:000000000000:${HEARD}`;
  cloud.iam.putResourcePolicy(arn, 'hear', {
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arn,
      },
    ],
  });
  const rule = { Name: 'all', EventBusName: 'platform' };
  await cloud.call('events', 'PutRule', {
    ...rule,
    EventPattern: JSON.stringify({ source: [{ prefix: '' }] }),
  });
  await cloud.call('events', 'PutTargets', {
    Rule: rule.Name,
    EventBusName: rule.EventBusName,
    Targets: [{ Id: HEARD, Arn: arn }],
  });
}

/** Since this was last asked. */
export async function said(plane: DataPlane): Promise<Said[]> {
  await plane.cloud.settle();
  const events = await drain(plane, HEARD);
  return events.map((event) => ({
    name: String(event['detail-type']),
    detail: event['detail'] as Record<string, unknown>,
  }));
}

/** The bodies of every message, which are gone from the queue then. */
export async function drain(plane: DataPlane, queue: string): Promise<Record<string, unknown>[]> {
  const found = plane.open(queueNeed(queue, 'receive'));
  const bodies: Record<string, unknown>[] = [];
  for (;;) {
    const messages = await found.receive();
    if (messages.length === 0) return bodies;
    for (const { body, receipt } of messages) {
      bodies.push(JSON.parse(body) as Record<string, unknown>);
      await found.delete(receipt);
    }
  }
}
