import { expect, it } from 'vitest';
import { createClock } from '../../lib/local/clock.ts';
import { createTopics } from '../../lib/local/topics.ts';
import type { CallContext } from '../../lib/local/types.ts';

const caller: CallContext = { principal: { kind: 'administrator' } };

it('keeps what is published to a topic that exists', async () => {
  const clock = createClock({ mode: 'virtual', startAt: 5 });
  const topics = createTopics({ clock, random: () => 0.5, call: () => Promise.resolve(undefined) });
  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:operations';
  const publish = (Message: string) =>
    topics.call('Publish', { TopicArn, Message, Subject: 'alarm' }, caller);
  await expect(publish('early')).rejects.toMatchObject({ code: 'NotFound', status: 404 });
  expect(await topics.call('CreateTopic', { Name: 'operations' }, caller)).toEqual({ TopicArn });
  await publish('late');
  await expect(publish('')).rejects.toMatchObject({ code: 'InvalidParameter' });
  expect(topics.published()).toEqual([
    { topicArn: TopicArn, subject: 'alarm', message: 'late', publishedAtMs: 5 },
  ]);
  expect(topics.authorization('Publish', { TopicArn })).toEqual([
    { action: 'sns:Publish', resource: TopicArn },
  ]);
});
