// Where does everything live that must survive, and through which door does the world come in?
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib/core';
import {
  CfnAuthorizer,
  type CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpAuthorizer,
  HttpStage,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Archive, EventBus } from 'aws-cdk-lib/aws-events';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { TABLES, type TableName, type TableSpec } from '../../lambdas/runtime/tables.ts';
import { acknowledge } from './acknowledge.ts';
import { mediaBucketName } from './media-bucket-name.ts';
import type { Stage, StageConfig } from './stages.ts';

export interface PlatformProps extends StackProps {
  stage: Stage;
  config: StageConfig;
}

/** Data, bus, operations topic and the shell of the HTTP API. Other stacks point here; it points nowhere. */
export class PlatformStack extends Stack {
  readonly stage: Stage;
  readonly config: StageConfig;
  readonly tables: ReadonlyMap<TableName, TableV2>;
  readonly media: Bucket;
  readonly bus: EventBus;
  readonly api: HttpApi;
  readonly authorizer: IHttpRouteAuthorizer;
  readonly operationsTopic: Topic;
  /** Encrypts the tenants' vendor credentials and what is said to the operations topic. */
  readonly vaultKey: IKey;

  constructor(scope: Construct, id: string, props: PlatformProps) {
    super(scope, id, props);
    this.stage = props.stage;
    this.config = props.config;
    this.vaultKey = this.#vaultKey();
    this.tables = new Map(
      Object.entries(TABLES).map(([name, spec]) => [name as TableName, this.#table(name, spec)]),
    );
    this.media = this.#media();
    this.bus = new EventBus(this, 'Bus', { eventBusName: `impresario-${this.stage}` });
    new Archive(this, 'BusArchive', {
      sourceEventBus: this.bus,
      eventPattern: { account: [this.account] },
      retention: Duration.days(this.config.logRetentionDays),
    });
    this.operationsTopic = this.#operationsTopic();
    this.api = new HttpApi(this, 'Api', {
      apiName: `impresario-${this.stage}`,
      createDefaultStage: false,
      ...this.#cors(),
    });
    this.#apiStage(this.api);
    this.authorizer = this.#authorizer(this.api);
  }

  get #removalPolicy(): RemovalPolicy {
    return this.config.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  }

  #vaultKey(): Key {
    const key = new Key(this, 'VaultKey', {
      alias: `impresario/${this.stage}`,
      enableKeyRotation: true,
      removalPolicy: this.#removalPolicy,
    });
    // Alarms and rules publish to the encrypted topic.
    key.grantEncryptDecrypt(new ServicePrincipal('cloudwatch.amazonaws.com'));
    key.grantEncryptDecrypt(new ServicePrincipal('events.amazonaws.com'));
    return key;
  }

  #table(name: string, spec: TableSpec): TableV2 {
    return new TableV2(this, `${name[0]?.toUpperCase()}${name.slice(1)}Table`, {
      tableName: `impresario-${this.stage}-${name}`,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      deletionProtection: this.config.retainData,
      removalPolicy: this.#removalPolicy,
      ...(spec.ttl ? { timeToLiveAttribute: spec.ttl } : {}),
      ...(spec.stream ? { dynamoStream: StreamViewType[spec.stream] } : {}),
      globalSecondaryIndexes: (spec.indexes ?? []).map((index) => ({
        indexName: index.name,
        partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
        sortKey: { name: index.sortKey, type: AttributeType.STRING },
        projectionType: ProjectionType.ALL,
      })),
    });
  }

  #media(): Bucket {
    const bucket = new Bucket(this, 'Media', {
      bucketName: mediaBucketName(this, this),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy: this.#removalPolicy,
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
        { prefix: 'uploads/', expiration: Duration.days(this.config.uploadRetentionDays) },
      ],
      ...(this.config.api.allowedOrigins.length > 0
        ? {
            cors: [
              {
                allowedMethods: [HttpMethods.PUT, HttpMethods.GET],
                allowedOrigins: [...this.config.api.allowedOrigins],
                allowedHeaders: ['*'],
              },
            ],
          }
        : {}),
    });
    // The L2 switch for EventBridge adds a custom resource; the property itself is plain CloudFormation.
    (bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Object-level reads are recorded by the functions that make them; server access logs would double the objects.',
    );
    return bucket;
  }

  #operationsTopic(): Topic {
    const topic = new Topic(this, 'OperationsTopic', {
      topicName: `impresario-${this.stage}-operations`,
      masterKey: this.vaultKey,
      enforceSSL: true,
    });
    topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com'));
    topic.grantPublish(new ServicePrincipal('events.amazonaws.com'));
    if (this.config.operationsEmail)
      topic.addSubscription(new EmailSubscription(this.config.operationsEmail));
    return topic;
  }

  #cors() {
    const { allowedOrigins } = this.config.api;
    if (allowedOrigins.length === 0) return {};
    return {
      corsPreflight: {
        allowOrigins: [...allowedOrigins],
        allowMethods: [
          CorsHttpMethod.GET,
          CorsHttpMethod.POST,
          CorsHttpMethod.PUT,
          CorsHttpMethod.PATCH,
          CorsHttpMethod.DELETE,
        ],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key'],
      },
    };
  }

  #apiStage(api: HttpApi): void {
    const logs = new LogGroup(this, 'ApiLogs', {
      retention: this.config.logRetentionDays as number,
      removalPolicy: this.#removalPolicy,
    });
    const stage = new HttpStage(this, 'ApiStage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { burstLimit: this.config.api.burstPerSecond, rateLimit: this.config.api.ratePerSecond },
    });
    (stage.node.defaultChild as CfnStage).accessLogSettings = {
      destinationArn: logs.logGroupArn,
      format: JSON.stringify({
        requestId: '$context.requestId',
        time: '$context.requestTime',
        route: '$context.routeKey',
        status: '$context.status',
        latencyMs: '$context.responseLatency',
        error: '$context.integrationErrorMessage',
      }),
    };
  }

  #authorizer(api: HttpApi): IHttpRouteAuthorizer {
    const authorizer = new CfnAuthorizer(this, 'Authorizer', {
      apiId: api.apiId,
      name: 'tenant-token',
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: { issuer: this.config.jwt.issuer, audience: [this.config.jwt.audience] },
    });
    return HttpAuthorizer.fromHttpAuthorizerAttributes(this, 'AuthorizerReference', {
      authorizerId: authorizer.ref,
      authorizerType: 'JWT',
    });
  }
}
