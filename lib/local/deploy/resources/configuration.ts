// How do secrets and parameters get deployed?
import { createHash } from 'node:crypto';
import type { Json } from '../../types.ts';
import { ACCOUNT, REGION } from '../../types.ts';
import { onlyMembers } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A generated secret that is the same on every deployment (it protects nothing on a laptop). */
function generated(seed: string, options: Json): string {
  onlyMembers(
    options,
    [
      'PasswordLength',
      'ExcludePunctuation',
      'ExcludeCharacters',
      'SecretStringTemplate',
      'GenerateStringKey',
      'RequireEachIncludedType',
      'IncludeSpace',
    ],
    'property GenerateSecretString',
  );
  const excluded = String(options.ExcludeCharacters ?? '');
  const allowed = LETTERS.split('').filter((letter) => !excluded.includes(letter));
  let password = '';
  for (let i = 0; password.length < Number(options.PasswordLength ?? 32); i++) {
    const byte = createHash('sha256').update(`${seed}/${i}`).digest()[0]!;
    password += allowed[byte % allowed.length];
  }
  if (options.GenerateStringKey === undefined) return password;
  return JSON.stringify({
    ...JSON.parse(options.SecretStringTemplate),
    [options.GenerateStringKey]: password,
  });
}

export const configurationResources: ResourceKinds = {
  'AWS::SecretsManager::Secret': {
    reads: ['Name', 'SecretString', 'GenerateSecretString'],
    ignores: ['KmsKeyId'],
    async create(properties, context) {
      const Name = properties.Name ?? context.name(64);
      const SecretString =
        properties.SecretString ??
        generated(`${context.stack}/${context.logicalId}`, properties.GenerateSecretString ?? {});
      const { ARN } = await context.call('secretsmanager', 'CreateSecret', { Name, SecretString });
      return { ref: ARN, attributes: { Id: ARN } };
    },
  },
  'AWS::SSM::Parameter': {
    reads: ['Name', 'Type', 'Value'],
    ignores: ['AllowedPattern', 'DataType', 'Tier'],
    async create(properties, context) {
      const Name = properties.Name ?? context.name(128);
      const { Type, Value } = properties;
      await context.call('ssm', 'PutParameter', { Name, Type, Value });
      const arn = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/${Name.replace(/^\//, '')}`;
      return { ref: Name, attributes: { Type, Value, Arn: arn } };
    },
  },
};
