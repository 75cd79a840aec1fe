// What do the synthesised stacks say, by kind of resource?
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testAssembly } from '../support/assembly.ts';

type Fields = Record<string, unknown>;

export interface Resource {
  stack: string;
  id: string;
  type: string;
  properties: Fields;
  raw: Fields;
}

export const assembly = testAssembly();

export const resources: readonly Resource[] = readdirSync(assembly)
  .filter((file) => file.endsWith('.template.json'))
  .flatMap((file) => {
    const template = JSON.parse(readFileSync(join(assembly, file), 'utf8')) as {
      Resources: Record<string, { Type: string; Properties?: Fields }>;
    };
    return Object.entries(template.Resources).map(([id, raw]) => ({
      stack: file.replace('.template.json', ''),
      id,
      type: raw.Type,
      properties: raw.Properties ?? {},
      raw,
    }));
  });

export function ofType(type: string): Resource[] {
  return resources.filter((resource) => resource.type === type);
}

/** A value as text: joins joined, `<LogicalId.Att>` for references. */
export function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const {
    'Fn::Join': join_,
    'Fn::GetAtt': att,
    'Fn::Sub': sub,
    'Fn::ImportValue': imported,
    Ref: ref,
  } = value as Fields;
  if (Array.isArray(join_)) return (join_[1] as unknown[]).map(text).join(join_[0] as string);
  if (Array.isArray(att)) return `<${att.join('.')}>`;
  if (sub !== undefined) return text(sub);
  if (imported !== undefined) return `<${text(imported)}>`;
  return ref === undefined ? JSON.stringify(value) : `<${text(ref)}>`;
}

export interface Statement {
  role: Resource;
  effect: string;
  actions: string[];
  targets: string[];
}

interface RawStatement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

/** Every statement of every role: its own policies and those attached to it. */
export function statements(): Statement[] {
  const roles = ofType('AWS::IAM::Role');
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
  const read = (role: Resource, document: unknown): Statement[] =>
    (document as { Statement: RawStatement[] }).Statement.map(({ Effect, Action, Resource: on }) => ({
      role,
      effect: Effect,
      actions: list(Action) as string[],
      targets: list(on).map(text),
    }));
  const own = roles.flatMap((role) =>
    ((role.properties['Policies'] as Fields[] | undefined) ?? []).flatMap((policy) =>
      read(role, policy['PolicyDocument']),
    ),
  );
  const attached = ofType('AWS::IAM::Policy').flatMap((policy) =>
    list(policy.properties['Roles']).flatMap((name) => {
      const role = roles.find(({ id, stack }) => stack === policy.stack && text(name) === `<${id}>`);
      if (role === undefined) throw new Error(`${policy.id} is attached to no role of its stack.`);
      return read(role, policy.properties['PolicyDocument']);
    }),
  );
  return [...own, ...attached];
}

/** Statements of the role a function runs under. */
export function rightsOf(handler: Resource): Statement[] {
  const role = text(handler.properties['Role']);
  return statements().filter(({ role: { id, stack } }) => stack === handler.stack && role === `<${id}.Arn>`);
}
