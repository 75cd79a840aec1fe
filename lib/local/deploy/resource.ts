// What does a resource family need to know to deploy its resources?
import type { Iam } from '../iam.ts';
import type { Json, CloudService } from '../types.ts';
import type { RouteTarget, HttpApiDefinition } from '../http-api/server.ts';
import type { JwtConfiguration } from '../http-api/jwt.ts';
import type { Outcome } from './intrinsics.ts';

/** An alarm as its template declares it, all references answered. */
export interface Alarm {
  stack: string;
  logicalId: string;
  properties: Json;
}

/** An HTTP API while its stage, integrations, authorizers and routes are being deployed. */
export interface ApiParts {
  definition: Omit<HttpApiDefinition, 'routes'>;
  integrations: Map<string, { functionArn: string }>;
  authorizers: Map<string, JwtConfiguration>;
  routes: Map<string, RouteTarget>;
  routeThrottles: Map<string, NonNullable<RouteTarget['throttle']>>;
}

/** What deployments leave behind in a cloud, beside what the engines keep. */
export interface Deployed {
  alarms: Alarm[];
  dashboards: Alarm[];
  /** Layer version ARN → folder. */
  layers: Map<string, string>;
  /** Role name → ARN. */
  roles: Map<string, string>;
  managedPolicies: Map<string, Json>;
  apis: Map<string, ApiParts>;
  /** Stack name → output key → value. */
  outputs: Map<string, Record<string, Json>>;
  exports: Map<string, Json>;
}

export interface ResourceContext {
  stack: string;
  logicalId: string;
  /** As the account's administrator. */
  call(service: CloudService, operation: string, input: Json): Promise<Json>;
  iam: Iam;
  deployed: Deployed;
  /** Where the HTTP API answers. */
  apiUrl: string;
  /** Replaces the issuer and audience of every JWT authorizer. */
  jwt: JwtConfiguration | undefined;
  /** The folder of an asset by its S3 object key. */
  asset(objectKey: string): string;
  /** The name CloudFormation would make up, at most `maxLength` characters. */
  name(maxLength: number): string;
  /** Hexadecimal characters that are the same on every deployment. */
  id(length: number): string;
}

export interface ResourceKind {
  /** Properties that have an effect here. */
  reads: readonly string[];
  /** Properties accepted without effect: they change cost, encryption, logging or tracing, not what a program sees. */
  ignores?: readonly string[];
  create(properties: Json, context: ResourceContext): Promise<Outcome> | Outcome;
}

export type ResourceKinds = Readonly<Record<string, ResourceKind>>;

export function emptyDeployed(): Deployed {
  return {
    alarms: [],
    dashboards: [],
    layers: new Map(),
    roles: new Map(),
    managedPolicies: new Map(),
    apis: new Map(),
    outputs: new Map(),
    exports: new Map(),
  };
}

/** The members of `from` that are there. */
export function pick(from: Json, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]),
  );
}

/** Refuses members of a nested object that nobody reads. */
export function onlyMembers(value: Json, names: readonly string[], where: string): void {
  const unknown = Object.keys(value ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${where}.${unknown} is not supported`);
}

/** Template booleans may be strings. */
export const isTrue = (value: Json): boolean => value === true || value === 'true';

/** @throws Error when the service may not act as the role. */
export function requireTrust(context: ResourceContext, roleArn: string, service: string): void {
  if (!context.iam.assumableBy(roleArn, service)) {
    throw new Error(`role ${roleArn} cannot be assumed by ${service}`);
  }
}
