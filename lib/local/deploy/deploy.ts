// How does a synthesised assembly become running resources?
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Json } from '../types.ts';
import type { Assembly, StackSource } from './assembly.ts';
import { evaluate } from './intrinsics.ts';
import type { Outcome, Scope } from './intrinsics.ts';
import { physicalName } from './names.ts';
import type { ResourceContext, ResourceKind, ResourceKinds } from './resource.ts';
import { scopeOf, wantedResources } from './template.ts';
import type { DeployOptions } from './template.ts';
import { configurationResources } from './resources/configuration.ts';
import { dynamodbResources } from './resources/dynamodb.ts';
import { eventsResources } from './resources/events.ts';
import { httpApiResources } from './resources/http-api.ts';
import { iamResources } from './resources/iam.ts';
import { inertResources } from './resources/inert.ts';
import { lambdaResources } from './resources/lambda.ts';
import { s3Resources } from './resources/s3.ts';
import { schedulerResources } from './resources/scheduler.ts';
import { sqsResources } from './resources/sqs.ts';
import { statesResources } from './resources/states.ts';

const KINDS: ResourceKinds = {
  ...configurationResources,
  ...dynamodbResources,
  ...eventsResources,
  ...httpApiResources,
  ...iamResources,
  ...inertResources,
  ...lambdaResources,
  ...s3Resources,
  ...schedulerResources,
  ...sqsResources,
  ...statesResources,
};

/** Members of a resource that say nothing about behaviour, or are read below. */
const RESOURCE_MEMBERS = new Set([
  'Type',
  'Properties',
  'Condition',
  'DependsOn',
  'Metadata',
  'DeletionPolicy',
  'UpdateReplacePolicy',
]);
export type DeployTarget = Pick<ResourceContext, 'call' | 'iam' | 'deployed' | 'apiUrl' | 'jwt'>;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function checkProperties(type: string, kind: ResourceKind, properties: Json): void {
  if (kind.reads.includes('*')) return;
  for (const name of Object.keys(properties)) {
    if (kind.reads.includes(name) || kind.ignores?.includes(name)) continue;
    if (name === 'Tags' || name === 'Description') continue;
    throw new Error(`${type} property ${name} is not supported`);
  }
}

function refuseDynamicReferences(value: Json): void {
  const found = /\{\{resolve:[^}]*\}\}/.exec(JSON.stringify(value))?.[0];
  if (found !== undefined) throw new Error(`the dynamic reference ${found} is not supported`);
}

async function deployResource(
  logicalId: string,
  resource: Json,
  scope: Scope,
  assembly: Assembly,
  target: DeployTarget,
): Promise<Outcome> {
  const { stack } = scope;
  const type = String(resource.Type);
  try {
    const kind = KINDS[type];
    if (kind === undefined) throw new Error(`${type} is not supported`);
    for (const member of Object.keys(resource)) {
      if (!RESOURCE_MEMBERS.has(member)) throw new Error(`${type} ${member} is not supported`);
    }
    const properties = evaluate(resource.Properties ?? {}, scope);
    checkProperties(type, kind, properties);
    refuseDynamicReferences(properties);
    const digest = createHash('sha256').update(`${stack}/${logicalId}`).digest('hex');
    return await kind.create(properties, {
      ...target,
      stack,
      logicalId,
      asset(objectKey) {
        const folder = assembly.assets.get(objectKey);
        if (folder === undefined) throw new Error(`asset ${objectKey} is not in the assembly`);
        if (!statSync(folder).isDirectory())
          throw new Error(`asset ${folder} is not a folder, which is not supported`);
        return folder;
      },
      name: (maxLength) => physicalName(stack, logicalId, maxLength),
      id: (length) => digest.slice(0, length),
    });
  } catch (error) {
    const message = messageOf(error);
    const text = message.startsWith(type) ? message : `${type} ${message}`;
    throw new Error(`cannot deploy ${stack}/${logicalId}: ${text}`, { cause: error });
  }
}

async function deployStack(
  source: StackSource,
  assembly: Assembly,
  target: DeployTarget,
  options: DeployOptions,
) {
  const { name: stack, template } = source;
  const { deployed } = target;
  const resources = new Map<string, Outcome>();
  let scope: Scope;
  let wanted: { logicalId: string; resource: Json }[];
  try {
    scope = await scopeOf(source, resources, target, options);
    wanted = wantedResources(template, scope);
  } catch (error) {
    throw new Error(`cannot deploy ${stack}: ${messageOf(error)}`, { cause: error });
  }
  for (const { logicalId, resource } of wanted) {
    resources.set(logicalId, await deployResource(logicalId, resource, scope, assembly, target));
  }
  const outputs: Record<string, Json> = {};
  for (const [key, output] of Object.entries((template.Outputs ?? {}) as Record<string, Json>)) {
    if (output.Condition !== undefined && scope.condition(output.Condition) !== true) continue;
    outputs[key] = evaluate(output.Value, scope);
    if (output.Export !== undefined) deployed.exports.set(evaluate(output.Export.Name, scope), outputs[key]);
  }
  deployed.outputs.set(stack, outputs);
}

/**
 * Deploys every stack in order.
 * @throws Error `cannot deploy <stack>/<logicalId>: <Type> …` for what is not supported; what was created before stays,
 *   so a cloud whose deployment failed should be closed.
 */
export async function deployAssembly(
  target: DeployTarget,
  assembly: Assembly,
  options: DeployOptions = {},
): Promise<void> {
  for (const stack of assembly.stacks) await deployStack(stack, assembly, target, options);
}
