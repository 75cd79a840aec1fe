// What was said to the operations topic?
import { ACCOUNT, AwsError, REGION } from './types.ts';
import type { Engine, EngineContext, Json } from './types.ts';

export interface Published {
  topicArn: string;
  subject?: string;
  message: string;
  publishedAtMs: number;
}

/** SNS as far as it is needed here: what is published is kept to be read, and nobody is subscribed. */
export interface TopicsEngine extends Engine {
  readonly service: 'sns';
  published(): readonly Published[];
}

/** The newest messages are kept. */
const MAX_KEPT = 10_000;

export function createTopics({ clock, random }: EngineContext): TopicsEngine {
  const topics = new Set<string>();
  const kept: Published[] = [];

  const publish = (input: Json): Json => {
    const topicArn = String(input.TopicArn ?? input.TargetArn);
    if (!topics.has(topicArn)) throw new AwsError('NotFound', 'Topic does not exist', 404);
    if (typeof input.Message !== 'string' || input.Message === '') {
      throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
    }
    const subject = input.Subject === undefined ? {} : { subject: String(input.Subject) };
    kept.push({ topicArn, ...subject, message: input.Message, publishedAtMs: clock.now() });
    if (kept.length > MAX_KEPT) kept.shift();
    return { MessageId: Math.floor(random() * 2 ** 48).toString(16) };
  };

  return {
    service: 'sns',
    authorization: (operation, input) => [
      { action: `sns:${operation}`, resource: String(input.TopicArn ?? input.TargetArn ?? '*') },
    ],
    async call(operation, input) {
      switch (operation) {
        case 'CreateTopic': {
          const TopicArn = `arn:aws:sns:${REGION}:${ACCOUNT}:${input.Name}`;
          topics.add(TopicArn);
          return { TopicArn };
        }
        case 'ListTopics':
          return { Topics: [...topics].map((TopicArn) => ({ TopicArn })) };
        case 'Publish':
          return publish(input);
        default:
          throw new AwsError('InvalidAction', `The embedded SNS has no operation ${operation}`);
      }
    },
    published: () => kept,
  };
}
