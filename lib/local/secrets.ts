// Which secrets does the account keep?
import { ACCOUNT, AwsError, REGION, type Engine, type EngineContext, type Json } from './types.ts';

interface Version {
  id: string;
  SecretString?: string;
  /** Base64. */
  SecretBinary?: string;
  createdMs: number;
  stages: string[];
}

interface Secret {
  name: string;
  arn: string;
  description: string | undefined;
  createdMs: number;
  changedMs: number;
  versions: Version[];
}

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

/** Secrets Manager: values with their current and previous versions. */
export function createSecrets({ clock, random }: EngineContext): Engine {
  const secrets = new Map<string, Secret>();

  const text = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
  const newVersionId = (): string =>
    [8, 4, 4, 4, 12].map((length) => text('0123456789abcdef', length)).join('-');
  const arnOf = (suffixed: string): string =>
    `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${suffixed}`;

  function find(id: unknown): Secret | undefined {
    const wanted = String(id);
    for (const secret of secrets.values()) {
      // A name, a full ARN, or an ARN without the random suffix.
      if (secret.name === wanted || secret.arn === wanted || arnOf(secret.name) === wanted) return secret;
    }
    return undefined;
  }

  function secretOf(id: unknown): Secret {
    const found = find(id);
    if (found === undefined) {
      throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return found;
  }

  function putVersion(secret: Secret, input: Json): Version {
    if ((input.SecretString === undefined) === (input.SecretBinary === undefined)) {
      throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
    }
    const version: Version = {
      id: input.ClientRequestToken ?? newVersionId(),
      createdMs: clock.now(),
      stages: [CURRENT],
      ...(input.SecretString === undefined
        ? { SecretBinary: String(input.SecretBinary) }
        : { SecretString: String(input.SecretString) }),
    };
    const existing = secret.versions.find(({ id }) => id === version.id);
    if (existing !== undefined) {
      const same =
        existing.SecretString === version.SecretString && existing.SecretBinary === version.SecretBinary;
      if (same) return existing;
      throw new AwsError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${version.id} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    for (const other of secret.versions) {
      const wasCurrent = other.stages.includes(CURRENT);
      other.stages = wasCurrent ? [PREVIOUS] : other.stages.filter((stage) => stage !== PREVIOUS);
    }
    secret.versions.push(version);
    secret.changedMs = clock.now();
    return version;
  }

  function getValue(input: Json): Json {
    const secret = secretOf(input.SecretId);
    const stage = String(input.VersionStage ?? CURRENT);
    const version = secret.versions.find(({ id, stages }) =>
      input.VersionId === undefined ? stages.includes(stage) : id === input.VersionId,
    );
    if (version === undefined) {
      const what =
        input.VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${input.VersionId}`;
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for ${what}`,
      );
    }
    const { id, createdMs, stages, ...value } = version;
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: id,
      VersionStages: stages,
      CreatedDate: createdMs / 1000,
      ...value,
    };
  }

  const described = (secret: Secret): Json => ({
    ARN: secret.arn,
    Name: secret.name,
    CreatedDate: secret.createdMs / 1000,
    LastChangedDate: secret.changedMs / 1000,
    ...(secret.description === undefined ? {} : { Description: secret.description }),
  });
  const stagesOf = (secret: Secret): Json =>
    Object.fromEntries(
      secret.versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
    );

  const operations: Record<string, (input: Json) => Json> = {
    CreateSecret(input) {
      const name = String(input.Name);
      if (find(name) !== undefined) {
        throw new AwsError(
          'ResourceExistsException',
          `The operation failed because the secret ${name} already exists.`,
        );
      }
      const secret: Secret = {
        name,
        arn: arnOf(`${name}-${text('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 6)}`),
        description: input.Description,
        createdMs: clock.now(),
        changedMs: clock.now(),
        versions: [],
      };
      const empty = input.SecretString === undefined && input.SecretBinary === undefined;
      const version = empty ? undefined : putVersion(secret, input);
      secrets.set(name, secret);
      return {
        ARN: secret.arn,
        Name: name,
        ...(version === undefined ? {} : { VersionId: version.id }),
      };
    },
    PutSecretValue(input) {
      const secret = secretOf(input.SecretId);
      const { id, stages } = putVersion(secret, input);
      return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: stages };
    },
    GetSecretValue: getValue,
    DescribeSecret(input) {
      const secret = secretOf(input.SecretId);
      return { ...described(secret), VersionIdsToStages: stagesOf(secret) };
    },
    ListSecrets: () => ({
      SecretList: [...secrets.values()].map((secret) => ({
        ...described(secret),
        SecretVersionsToStages: stagesOf(secret),
      })),
    }),
  };

  return {
    service: 'secretsmanager',
    authorization(operation, input) {
      const action = `secretsmanager:${operation}`;
      if (operation === 'ListSecrets') return [{ action, resource: '*' }];
      const id = String(input?.SecretId ?? input?.Name);
      const known = find(id)?.arn;
      // A policy for a secret that does not exist yet ends in `-??????`.
      return [{ action, resource: known ?? (id.startsWith('arn:') ? id : arnOf(`${id}-000000`)) }];
    },
    async call(operation, input) {
      const run = operations[operation];
      if (run === undefined) {
        throw new AwsError('UnknownOperationException', `Secrets Manager ${operation} is not supported`);
      }
      return run(input ?? {});
    },
  };
}
