// How do event buses and rules get deployed?
import { ACCOUNT, REGION } from '../../types.ts';
import { pick, requireTrust } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

const arnOf = (rest: string) => `arn:aws:events:${REGION}:${ACCOUNT}:${rest}`;

export const eventsResources: ResourceKinds = {
  'AWS::Events::EventBus': {
    reads: ['Name'],
    ignores: ['KmsKeyIdentifier', 'LogConfig'],
    async create({ Name }, { call }) {
      await call('events', 'CreateEventBus', { Name });
      return { ref: Name, attributes: { Arn: arnOf(`event-bus/${Name}`), Name } };
    },
  },
  'AWS::Events::EventBusPolicy': {
    reads: ['EventBusName', 'StatementId', 'Statement'],
    create(properties, context) {
      const bus = properties.EventBusName ?? 'default';
      const document = { Statement: [properties.Statement] };
      context.iam.putResourcePolicy(arnOf(`event-bus/${bus}`), properties.StatementId, document);
      return { ref: properties.StatementId };
    },
  },
  'AWS::Events::Rule': {
    reads: ['Name', 'EventBusName', 'EventPattern', 'ScheduleExpression', 'State', 'RoleArn', 'Targets'],
    async create(properties, context) {
      const Name = properties.Name ?? context.name(64);
      const bus = properties.EventBusName?.split('/').at(-1) ?? 'default';
      const pattern = properties.EventPattern;
      for (const { RoleArn } of [properties, ...(properties.Targets ?? [])]) {
        if (RoleArn !== undefined) requireTrust(context, RoleArn, 'events.amazonaws.com');
      }
      await context.call('events', 'PutRule', {
        Name,
        EventBusName: bus,
        ...pick(properties, ['ScheduleExpression', 'State', 'RoleArn']),
        ...(pattern === undefined ? {} : { EventPattern: JSON.stringify(pattern) }),
      });
      if (properties.Targets?.length > 0) {
        await context.call('events', 'PutTargets', {
          Rule: Name,
          EventBusName: bus,
          Targets: properties.Targets,
        });
      }
      const path = bus === 'default' ? Name : `${bus}/${Name}`;
      return { ref: bus === 'default' ? Name : `${bus}|${Name}`, attributes: { Arn: arnOf(`rule/${path}`) } };
    },
  },
};
