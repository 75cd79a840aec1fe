// Which values do a template's parameters and conditions take, and which resources does it want, in which order?
import type { Json } from '../types.ts';
import type { StackSource } from './assembly.ts';
import { evaluate, references } from './intrinsics.ts';
import type { Outcome, Scope } from './intrinsics.ts';
import type { ResourceContext } from './resource.ts';

const TEMPLATE_MEMBERS = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Rules',
  'Mappings',
  'Conditions',
  'Resources',
  'Outputs',
]);

/** The version CDK's bootstrap check finds in the account. */
const BOOTSTRAP_VERSION = '30';

export interface DeployOptions {
  /** Values for template parameters, by name; others take their default. */
  parameters?: Readonly<Record<string, string>>;
  /** Conditions decided from outside, by name. */
  conditions?: Readonly<Record<string, boolean>>;
}

type Target = Pick<ResourceContext, 'call' | 'deployed'>;

async function parametersOf(template: Json, target: Target, given: Record<string, string>) {
  const values: Record<string, Json> = {};
  for (const [name, parameter] of Object.entries((template.Parameters ?? {}) as Record<string, Json>)) {
    const value = given[name] ?? parameter.Default;
    if (value === undefined) throw new Error(`parameter ${name} has no value`);
    const type = String(parameter.Type);
    if (!type.startsWith('AWS::SSM::Parameter::Value<')) {
      values[name] = type === 'CommaDelimitedList' ? String(value).split(',') : String(value);
    } else if (String(value).startsWith('/cdk-bootstrap/')) values[name] = BOOTSTRAP_VERSION;
    else values[name] = (await target.call('ssm', 'GetParameter', { Name: value })).Parameter.Value;
  }
  return values;
}

/** Conditions may use each other: each is answered when it is first needed. */
function conditionsOf(
  template: Json,
  scope: Scope,
  given: Readonly<Record<string, boolean>>,
): Scope['condition'] {
  const declared = (template.Conditions ?? {}) as Record<string, Json>;
  const answered = new Map<string, boolean>(Object.entries(given));
  const condition: Scope['condition'] = (name) => {
    if (!answered.has(name) && declared[name] !== undefined) {
      answered.set(name, evaluate(declared[name], { ...scope, condition }) === true);
    }
    return answered.get(name);
  };
  return condition;
}

/** Every resource after those it refers to or depends on. @throws Error naming a circle. */
function inOrder(resources: Readonly<Record<string, Json>>): string[] {
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (logicalId: string) => {
    if (done.has(logicalId)) return;
    if (open.includes(logicalId))
      throw new Error(`resources form a circle: ${[...open, logicalId].join(' → ')}`);
    open.push(logicalId);
    const { Properties, DependsOn } = resources[logicalId];
    for (const before of [...references(Properties ?? {}), ...[DependsOn ?? []].flat()]) {
      if (resources[before] !== undefined) visit(before);
    }
    open.pop();
    done.add(logicalId);
  };
  for (const logicalId of Object.keys(resources)) visit(logicalId);
  return [...done];
}

/** What the template's values may refer to; `resources` fills up while they are deployed. */
export async function scopeOf(
  { name: stack, template }: StackSource,
  resources: ReadonlyMap<string, Outcome>,
  target: Target,
  options: DeployOptions,
): Promise<Scope> {
  const unknown = Object.keys(template).find((member) => !TEMPLATE_MEMBERS.has(member));
  if (unknown !== undefined) throw new Error(`template section ${unknown} is not supported`);
  const scope: Scope = {
    stack,
    parameters: await parametersOf(template, target, options.parameters ?? {}),
    condition: () => undefined,
    mappings: template.Mappings ?? {},
    resources,
    exports: target.deployed.exports,
  };
  return { ...scope, condition: conditionsOf(template, scope, options.conditions ?? {}) };
}

/** The resources whose conditions hold, each after those it needs. @throws Error naming a circle */
export function wantedResources(template: Json, scope: Scope): { logicalId: string; resource: Json }[] {
  const declared = Object.entries((template.Resources ?? {}) as Record<string, Json>);
  const wanted = Object.fromEntries(
    declared.filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition) === true),
  );
  return inOrder(wanted).map((logicalId) => ({ logicalId, resource: wanted[logicalId] }));
}
