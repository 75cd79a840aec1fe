// How do schedules get deployed?
import { ACCOUNT, REGION } from '../../types.ts';
import { pick, requireTrust } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

const arnOf = (rest: string) => `arn:aws:scheduler:${REGION}:${ACCOUNT}:${rest}`;

export const schedulerResources: ResourceKinds = {
  'AWS::Scheduler::ScheduleGroup': {
    reads: ['Name'],
    async create(properties, context) {
      const Name = properties.Name ?? context.name(64);
      await context.call('scheduler', 'CreateScheduleGroup', { Name });
      return { ref: Name, attributes: { Arn: arnOf(`schedule-group/${Name}`) } };
    },
  },
  'AWS::Scheduler::Schedule': {
    reads: [
      'Name',
      'GroupName',
      'ScheduleExpression',
      'ScheduleExpressionTimezone',
      'FlexibleTimeWindow',
      'State',
      'StartDate',
      'EndDate',
      'Target',
    ],
    ignores: ['KmsKeyArn'],
    async create(properties, context) {
      const Name = properties.Name ?? context.name(64);
      requireTrust(context, properties.Target.RoleArn, 'scheduler.amazonaws.com');
      const seconds = (date: string) => Date.parse(date) / 1000;
      await context.call('scheduler', 'CreateSchedule', {
        Name,
        ...pick(properties, [
          'GroupName',
          'ScheduleExpression',
          'ScheduleExpressionTimezone',
          'FlexibleTimeWindow',
          'State',
          'Target',
        ]),
        ...(properties.StartDate === undefined ? {} : { StartDate: seconds(properties.StartDate) }),
        ...(properties.EndDate === undefined ? {} : { EndDate: seconds(properties.EndDate) }),
      });
      return {
        ref: Name,
        attributes: { Arn: arnOf(`schedule/${properties.GroupName ?? 'default'}/${Name}`) },
      };
    },
  },
};
