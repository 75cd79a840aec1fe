// Which resources are accepted without doing anything here?
import { ACCOUNT, REGION } from '../../types.ts';
import type { ResourceContext, ResourceKind, ResourceKinds } from '../resource.ts';

const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

/** Accepts every property: none has an effect. */
const ANY_PROPERTY = ['*'];

const uuid = (context: ResourceContext) =>
  context.id(32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const nameless: ResourceKind = { reads: ANY_PROPERTY, create: (_, context) => ({ ref: context.name(128) }) };

export const inertResources: ResourceKinds = {
  'AWS::CDK::Metadata': nameless,
  'AWS::KMS::Key': {
    reads: ANY_PROPERTY,
    create(_, context) {
      const id = uuid(context);
      return { ref: id, attributes: { Arn: arn('kms', `key/${id}`), KeyId: id } };
    },
  },
  'AWS::KMS::Alias': {
    reads: ANY_PROPERTY,
    create: ({ AliasName }) => ({ ref: AliasName, attributes: { AliasArn: arn('kms', AliasName) } }),
  },
  'AWS::Logs::LogGroup': {
    reads: ANY_PROPERTY,
    create(properties, context) {
      const name = properties.LogGroupName ?? context.name(512);
      return { ref: name, attributes: { Arn: arn('logs', `log-group:${name}:*`) } };
    },
  },
  'AWS::Events::Archive': {
    reads: ANY_PROPERTY,
    create(properties, context) {
      const name = properties.ArchiveName ?? context.name(48);
      return { ref: name, attributes: { Arn: arn('events', `archive/${name}`), ArchiveName: name } };
    },
  },
  'AWS::CloudWatch::Alarm': {
    reads: ANY_PROPERTY,
    create(properties, context) {
      const name = properties.AlarmName ?? context.name(255);
      const { stack, logicalId } = context;
      context.deployed.alarms.push({ stack, logicalId, properties: { AlarmName: name, ...properties } });
      return { ref: name, attributes: { Arn: arn('cloudwatch', `alarm:${name}`) } };
    },
  },
  'AWS::CloudWatch::Dashboard': {
    reads: ANY_PROPERTY,
    create(properties, context) {
      const { stack, logicalId } = context;
      context.deployed.dashboards.push({ stack, logicalId, properties });
      return { ref: properties.DashboardName ?? context.name(255) };
    },
  },
  'AWS::SNS::Topic': {
    reads: ANY_PROPERTY,
    async create(properties, context) {
      const name = properties.TopicName ?? context.name(256);
      await context.call('sns', 'CreateTopic', { Name: name });
      return {
        ref: arn('sns', name),
        attributes: { TopicArn: arn('sns', name), TopicName: name },
      };
    },
  },
  'AWS::SNS::Subscription': nameless,
  'AWS::SNS::TopicPolicy': {
    reads: ANY_PROPERTY,
    create(properties, context) {
      for (const topic of properties.Topics) {
        context.iam.putResourcePolicy(
          topic,
          `${context.stack}/${context.logicalId}`,
          properties.PolicyDocument,
        );
      }
      return { ref: context.name(128) };
    },
  },
};
