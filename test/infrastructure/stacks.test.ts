// Is everything deployed in a way that loses nothing and shows nothing to strangers?
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uploadsOf } from '../../lambdas/creative/own-upload.ts';
import { stageConfig, STAGES } from '../../lib/aws/stages.ts';
import { ROOT } from '../support/sources.ts';
import { ofType, resources, rightsOf, statements, text, type Resource } from './templates.ts';

const name = ({ stack, id }: Resource): string => `${stack}/${id}`;
const without = (list: readonly Resource[], has: (resource: Resource) => boolean): string[] => {
  expect(list.length, 'something to check').toBeGreaterThan(0);
  return list.filter((resource) => !has(resource)).map(name);
};
const functions = ofType('AWS::Lambda::Function');
const queues = ofType('AWS::SQS::Queue');
const isDeadLetterQueue = ({ properties }: Resource) =>
  /-dead-letters(\.fifo)?$/.test(text(properties['QueueName']));
const carriesFfmpeg = ({ properties }: Resource) => properties['Layers'] !== undefined;

describe('what cannot be delivered waits for a person', () => {
  const deadLetters = queues.filter(isDeadLetterQueue);
  const arns = (stack: string) =>
    deadLetters.filter((queue) => queue.stack === stack).map(({ id }) => `<${id}.Arn>`);

  it('dead letters are kept fourteen days', () => {
    expect(
      without(deadLetters, ({ properties }) => properties['MessageRetentionPeriod'] === 14 * 86_400),
    ).toEqual([]);
  });

  it('every other queue has dead letters of its own', () => {
    const working = queues.filter((queue) => !isDeadLetterQueue(queue));
    const targets = working.map(({ stack, properties }) => {
      const { deadLetterTargetArn } = (properties['RedrivePolicy'] ?? {}) as {
        deadLetterTargetArn?: unknown;
      };
      return { stack, target: text(deadLetterTargetArn) };
    });
    expect(targets.filter(({ stack, target }) => !arns(stack).includes(target))).toEqual([]);
    expect(new Set(targets.map(({ stack, target }) => stack + target)).size).toBe(working.length);
  });

  it('every rule target has dead letters', () => {
    const targets = ofType('AWS::Events::Rule').flatMap((rule) =>
      (rule.properties['Targets'] as { DeadLetterConfig?: { Arn: unknown } }[]).map((target) => ({
        rule,
        target,
      })),
    );
    // The archive’s own rule is AWS’s.
    expect(targets.length).toBeGreaterThan(0);
    const open = targets.filter(
      ({ rule, target }) => !arns(rule.stack).includes(text(target.DeadLetterConfig?.Arn)),
    );
    expect(open.map(({ rule }) => name(rule))).toEqual([]);
  });

  it('every schedule and the function it calls have dead letters', () => {
    const schedules = ofType('AWS::Scheduler::Schedule');
    const target = ({ properties }: Resource) =>
      properties['Target'] as { Arn: unknown; DeadLetterConfig?: { Arn: unknown } };
    expect(
      without(schedules, (one) => arns(one.stack).includes(text(target(one).DeadLetterConfig?.Arn))),
    ).toEqual([]);
    const caught = ofType('AWS::Lambda::EventInvokeConfig')
      .filter(({ stack, properties }) => {
        const { OnFailure } = (properties['DestinationConfig'] ?? {}) as {
          OnFailure?: { Destination: unknown };
        };
        return arns(stack).includes(text(OnFailure?.Destination));
      })
      .map(({ stack, properties }) => `${stack} ${text(properties['FunctionName'])}`);
    expect(
      without(schedules, (one) =>
        caught.includes(`${one.stack} ${text(target(one).Arn).replace('.Arn>', '>')}`),
      ),
    ).toEqual([]);
  });

  it('every consumer tells single failures apart; streams end in dead letters', () => {
    expect(
      without(ofType('AWS::Lambda::EventSourceMapping'), ({ stack, properties }) => {
        const { OnFailure } = (properties['DestinationConfig'] ?? {}) as {
          OnFailure?: { Destination: unknown };
        };
        return properties['StartingPosition'] === undefined
          ? text(properties['FunctionResponseTypes']).includes('ReportBatchItemFailures')
          : arns(stack).includes(text(OnFailure?.Destination));
      }),
    ).toEqual([]);
  });

  it('a message is hidden for six times as long as its consumer may take', () => {
    for (const { properties, stack } of ofType('AWS::Lambda::EventSourceMapping')) {
      const queue = queues.find(
        ({ id, stack: in_ }) => in_ === stack && text(properties['EventSourceArn']) === `<${id}.Arn>`,
      );
      const handler = functions.find(
        ({ id, stack: in_ }) => in_ === stack && text(properties['FunctionName']) === `<${id}>`,
      );
      if (queue === undefined) continue;
      expect(queue.properties['VisibilityTimeout'], name(queue)).toBe(
        6 * Number(handler?.properties['Timeout']),
      );
    }
  });

  it('every area has a dead-letter queue', () => {
    const areas = new Set(functions.map(({ stack }) => stack));
    for (const area of areas) expect(arns(area), area).not.toEqual([]);
  });
});

describe('data', () => {
  it('tables are on demand, recoverable to a point in time, encrypted', () => {
    expect(
      without(ofType('AWS::DynamoDB::GlobalTable'), ({ properties }) => {
        const replicas = properties['Replicas'] as {
          PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled: boolean };
        }[];
        return (
          properties['BillingMode'] === 'PAY_PER_REQUEST' &&
          properties['SSESpecification'] !== undefined &&
          replicas.every((one) => one.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true)
        );
      }),
    ).toEqual([]);
  });

  it('rows that age out have a time to live', () => {
    const withTtl = ofType('AWS::DynamoDB::GlobalTable')
      .filter(
        ({ properties }) =>
          (properties['TimeToLiveSpecification'] as { Enabled?: boolean } | undefined)?.Enabled,
      )
      .map(({ properties }) => text(properties['TableName']).replace('impresario-dev-', ''));
    expect(withTtl.toSorted()).toEqual(['changes', 'circuits', 'creatives', 'limits', 'runs']);
  });

  it('the bucket is private, encrypted, and refuses plain HTTP', () => {
    const [bucket, ...others] = ofType('AWS::S3::Bucket');
    expect(others).toEqual([]);
    expect(bucket?.properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: { ServerSideEncryptionConfiguration: [expect.any(Object)] },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    const denial = {
      Effect: 'Deny',
      Action: 's3:*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    };
    expect(ofType('AWS::S3::BucketPolicy')[0]?.properties['PolicyDocument']).toMatchObject({
      Statement: expect.arrayContaining([expect.objectContaining(denial)]) as unknown[],
    });
  });

  it('an upload that no run is done with goes after a month, and nothing else does', () => {
    const [media] = ofType('AWS::S3::Bucket');
    const { Rules } = media!.properties['LifecycleConfiguration'] as {
      Rules: { Prefix?: string; ExpirationInDays?: number; Status: string }[];
    };
    expect(Rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined)).toEqual([
      { Prefix: 'uploads/', ExpirationInDays: 30, Status: 'Enabled' },
    ]);
    // Where clients write is below the rule's prefix.
    const api = functions.find(({ properties }) =>
      text(properties['FunctionName']).endsWith('-creatives-api'),
    );
    const writable = rightsOf(api!)
      .filter(({ actions }) => actions.includes('s3:PutObject'))
      .flatMap(({ targets }) => targets.filter((target) => target.includes('uploads')));
    expect(writable.map((target) => target.replace(/^[^/]*\//, ''))).toEqual(['uploads/*']);
    expect(uploadsOf('acme')).toBe('uploads/acme/');
  });

  it('uploads outlive the dead letters of their runs on every stage', () => {
    const days = STAGES.map((stage) => stageConfig(stage).config.uploadRetentionDays);
    expect(Math.min(...days)).toBeGreaterThan(14);
  });

  it('queues are encrypted and refuse plain HTTP', () => {
    expect(without(queues, ({ properties }) => properties['SqsManagedSseEnabled'] === true)).toEqual([]);
    const guarded = ofType('AWS::SQS::QueuePolicy')
      .filter(({ properties }) =>
        JSON.stringify(properties['PolicyDocument']).includes('"aws:SecureTransport":"false"'),
      )
      .flatMap(({ stack, properties }) =>
        (properties['Queues'] as unknown[]).map((queue) => `${stack} ${text(queue)}`),
      );
    expect(without(queues, ({ stack, id }) => guarded.includes(`${stack} <${id}>`))).toEqual([]);
  });

  it('the bus keeps what was said', () => {
    expect(ofType('AWS::Events::Archive')[0]?.properties['RetentionDays']).toBeGreaterThan(0);
  });
});

describe('functions', () => {
  it('run Node 24, are traced, and log to a group that forgets', () => {
    const groups = new Map(
      ofType('AWS::Logs::LogGroup').map((group) => [`${group.stack} <${group.id}>`, group]),
    );
    expect(
      without(functions, ({ stack, properties }) => {
        const { LogGroup } = (properties['LoggingConfig'] ?? {}) as { LogGroup?: unknown };
        return (
          properties['Runtime'] === 'nodejs24.x' &&
          (properties['TracingConfig'] as { Mode?: string } | undefined)?.Mode === 'Active' &&
          groups.get(`${stack} ${text(LogGroup)}`)?.properties['RetentionInDays'] !== undefined
        );
      }),
    ).toEqual([]);
  });

  it('every log group forgets', () => {
    expect(
      without(ofType('AWS::Logs::LogGroup'), ({ properties }) => Number(properties['RetentionInDays']) > 0),
    ).toEqual([]);
  });

  it('are arm64, except those with ffmpeg, which exists for x86-64', () => {
    expect(
      without(
        functions,
        (one) =>
          text(one.properties['Architectures']) === JSON.stringify([carriesFfmpeg(one) ? 'x86_64' : 'arm64']),
      ),
    ).toEqual([]);
    expect(functions.filter(carriesFfmpeg).length).toBeGreaterThan(0);
  });

  it('those with ffmpeg, which opens files of strangers, hold no secrets and reach only their objects and their run', () => {
    const allowed = [
      { actions: /^logs:(CreateLogStream|PutLogEvents)$/, on: /^<\w+Logs\w+\.Arn>$/ },
      { actions: /^xray:Put(TraceSegments|TelemetryRecords)$/, on: /^\*$/ },
      {
        actions: /^s3:(GetObject|PutObject)$/,
        on: /^arn:aws:s3:::impresario-dev-media-[^/]*\/\*\/[a-z]+\/\*$/,
      },
      { actions: /^s3:ListBucket$/, on: /^arn:aws:s3:::impresario-dev-media-[^/]*$/ },
      {
        actions: /^dynamodb:(GetItem|PutItem|UpdateItem|Query)$/,
        on: /:table\/impresario-dev-runs(\/index\/\*)?$/,
      },
    ];
    for (const handler of functions.filter(carriesFfmpeg)) {
      const rights = rightsOf(handler).flatMap(({ actions, targets }) =>
        actions.flatMap((action) => targets.map((target) => ({ action, target }))),
      );
      const more = rights.filter(
        ({ action, target }) => !allowed.some(({ actions, on }) => actions.test(action) && on.test(target)),
      );
      expect(more, name(handler)).toEqual([]);
      const environment = (handler.properties['Environment'] as { Variables: Record<string, unknown> })
        .Variables;
      expect(
        Object.keys(environment).filter((variable) => /SECRET|TOKEN|KEY|PASSWORD/.test(variable)),
      ).toEqual([]);
    }
  });

  it('those that call vendors on behalf of a tenant carry no ffmpeg', () => {
    const secretive = functions.filter((one) =>
      rightsOf(one).some(({ actions }) => actions.some((action) => action.startsWith('secretsmanager:'))),
    );
    expect(secretive.length).toBeGreaterThan(0);
    expect(secretive.filter(carriesFfmpeg).map(name)).toEqual([]);
  });
});

describe('rights', () => {
  it('no action is a wildcard', () => {
    const wide = statements().filter(({ actions }) => actions.some((action) => action.includes('*')));
    // `kms:GenerateDataKey*` and `kms:ReEncrypt*` are in the key’s own policy, not in a role.
    expect(wide.map(({ role, actions }) => `${name(role)}: ${actions.join()}`)).toEqual([]);
  });

  it('"any resource" is said only where AWS defines none', () => {
    const nowhere = /^((xray|rekognition|transcribe|logs|bedrock):|sqs:ListQueues$)/;
    const wide = statements()
      .filter(({ targets }) => targets.includes('*'))
      .flatMap(({ role, actions }) => actions.map((action) => ({ role: name(role), action })))
      .filter(({ action }) => !nowhere.test(action));
    expect(wide).toEqual([]);
  });

  it('a state machine invokes what its states name and nothing else', () => {
    for (const machine of ofType('AWS::StepFunctions::StateMachine')) {
      const role = ofType('AWS::IAM::Role').find(
        ({ id, stack }) => stack === machine.stack && text(machine.properties['RoleArn']) === `<${id}.Arn>`,
      );
      const invoked = statements()
        .filter((statement) => statement.role === role && statement.actions.includes('lambda:InvokeFunction'))
        .flatMap(({ targets }) => targets);
      const named = Object.values(machine.properties['DefinitionSubstitutions'] as object)
        .map(text)
        .filter((arn) => arn.startsWith('<'));
      expect(invoked.toSorted()).toEqual(named.toSorted());
    }
  });

  it('deployments are plain CloudFormation: no custom resources', () => {
    const custom = resources.filter(
      ({ type }) => type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource',
    );
    expect(custom.map(name)).toEqual([]);
    expect(
      functions
        .filter(({ properties }) => !text(properties['FunctionName']).startsWith('impresario-'))
        .map(name),
    ).toEqual([]);
  });
});

describe('alarms', () => {
  const alarms = ofType('AWS::CloudWatch::Alarm');
  const article = ({ properties }: Resource): string =>
    /docs\/runbook\/[\w-]+\.md/.exec(text(properties['AlarmDescription']))?.[0] ?? '';

  it('go to the operations topic', () => {
    expect(
      without(alarms, ({ properties }) =>
        /OperationsTopic/.test(text((properties['AlarmActions'] as unknown[])[0])),
      ),
    ).toEqual([]);
  });

  it('each has an article in the runbook, and each article an alarm', () => {
    expect(
      without(alarms, (alarm) => article(alarm) !== '' && existsSync(join(ROOT, article(alarm)))),
    ).toEqual([]);
    const articles = readdirSync(join(ROOT, 'docs/runbook')).filter((file) => file !== 'README.md');
    expect(new Set(alarms.map((alarm) => basename(article(alarm))))).toEqual(new Set(articles));
  });

  interface Metric {
    Namespace?: unknown;
    MetricName?: unknown;
    Dimensions?: { Value: unknown }[];
  }
  const metricsOf = (properties: Resource['properties']): Metric[] => [
    properties,
    ...((properties['Metrics'] ?? []) as { MetricStat?: { Metric: Metric } }[]).flatMap(
      ({ MetricStat }) => MetricStat?.Metric ?? [],
    ),
  ];
  const dimensionsOf = (properties: Resource['properties']) =>
    metricsOf(properties).flatMap(({ Dimensions = [] }) => Dimensions);

  it('a run that times out is watched like one that fails', () => {
    const failing = alarms.filter((alarm) => article(alarm).endsWith('executions-failing.md'));
    const names = failing.map(({ properties }) =>
      metricsOf(properties).flatMap((one) => one.MetricName ?? []),
    );
    expect(names.length).toBe(ofType('AWS::StepFunctions::StateMachine').length);
    for (const watched of names) expect(watched).toEqual(['ExecutionsFailed', 'ExecutionsTimedOut']);
  });

  it('our metrics are counted per stage', () => {
    const namespaces = alarms
      .flatMap(({ properties }) => metricsOf(properties).flatMap(({ Namespace }) => Namespace ?? []))
      .filter((namespace) => !text(namespace).startsWith('AWS/'));
    expect(new Set(namespaces)).toEqual(new Set(['Impresario/dev']));
    const variables = ofType('AWS::Lambda::Function')
      .map(
        ({ properties }) => properties['Environment'] as { Variables?: Record<string, unknown> } | undefined,
      )
      .flatMap((environment) => environment?.Variables?.['POWERTOOLS_METRICS_NAMESPACE'] ?? []);
    expect(new Set(variables)).toEqual(new Set(['Impresario/dev']));
  });

  it('every dead-letter queue and every state machine is watched', () => {
    const watched = new Set(
      alarms.flatMap(({ properties }) => dimensionsOf(properties).map(({ Value }) => text(Value))),
    );
    const isWatched = (id: string) => [...watched].some((value) => value.includes(id));
    expect(without(queues.filter(isDeadLetterQueue), ({ id }) => isWatched(id))).toEqual([]);
    expect(without(ofType('AWS::StepFunctions::StateMachine'), ({ id }) => isWatched(id))).toEqual([]);
  });
});

describe('doors', () => {
  it('routes ask for a token, but for those that say they are public', () => {
    const open = ofType('AWS::ApiGatewayV2::Route').filter(
      ({ properties }) => properties['AuthorizationType'] !== 'JWT',
    );
    const paths = open.map(({ properties }) => text(properties['RouteKey']));
    expect(paths.filter((path) => !['GET /health', 'GET /openapi.json'].includes(path))).toEqual([]);
    expect(ofType('AWS::ApiGatewayV2::Route').length).toBeGreaterThan(open.length);
  });

  it('requests are throttled', () => {
    expect(ofType('AWS::ApiGatewayV2::Stage')[0]?.properties['DefaultRouteSettings']).toMatchObject({
      ThrottlingBurstLimit: expect.any(Number) as number,
      ThrottlingRateLimit: expect.any(Number) as number,
    });
  });

  it('state machines are traced and log without payloads', () => {
    expect(
      without(ofType('AWS::StepFunctions::StateMachine'), ({ properties }) => {
        const { Enabled } = properties['TracingConfiguration'] as { Enabled: boolean };
        const { Level, IncludeExecutionData } = properties['LoggingConfiguration'] as {
          Level: string;
          IncludeExecutionData: boolean;
        };
        return Enabled && Level === 'ALL' && !IncludeExecutionData;
      }),
    ).toEqual([]);
  });
});
