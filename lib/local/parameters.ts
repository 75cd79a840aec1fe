// Which parameters does the account keep?
import { ACCOUNT, AwsError, REGION, type Engine, type EngineContext, type Json } from './types.ts';

interface Parameter {
  Name: string;
  Type: string;
  Value: string;
  Version: number;
  /** Epoch seconds. */
  LastModifiedDate: number;
  ARN: string;
  DataType: 'text';
}

const TYPES: readonly string[] = ['String', 'StringList', 'SecureString'];
/** GetParameters answers at most ten names. */
const NAMES_LIMIT = 10;

const parameterArn = (name: string): string =>
  name.startsWith('arn:') ? name : `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/${name.replace(/^\//, '')}`;

/** Systems Manager's parameter store, standard tier. Secure strings are shown as stored: nothing is encrypted here. */
export function createParameters({ clock }: EngineContext): Engine {
  const parameters = new Map<string, Parameter>();
  const find = (name: unknown): Parameter | undefined => parameters.get(parameterArn(String(name)));

  const operations: Record<string, (input: Json) => Json> = {
    PutParameter(input) {
      const name = String(input.Name);
      const existing = find(name);
      if (existing !== undefined && input.Overwrite !== true) {
        throw new AwsError(
          'ParameterAlreadyExists',
          'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
        );
      }
      const type = String(input.Type ?? existing?.Type ?? 'String');
      if (!TYPES.includes(type)) throw new AwsError('UnsupportedParameterType', `${type} is not supported.`);
      if (typeof input.Value !== 'string' || input.Value === '') {
        throw new AwsError('ValidationException', 'Value must not be empty.');
      }
      const parameter: Parameter = {
        Name: name,
        Type: type,
        Value: input.Value,
        Version: (existing?.Version ?? 0) + 1,
        LastModifiedDate: clock.now() / 1000,
        ARN: parameterArn(name),
        DataType: 'text',
      };
      parameters.set(parameter.ARN, parameter);
      return { Version: parameter.Version, Tier: 'Standard' };
    },
    GetParameter(input) {
      const found = find(input.Name);
      if (found === undefined) throw new AwsError('ParameterNotFound', `Parameter ${input.Name} not found.`);
      return { Parameter: { ...found } };
    },
    GetParameters(input) {
      const names: unknown[] = input.Names ?? [];
      if (names.length === 0 || names.length > NAMES_LIMIT) {
        throw new AwsError('ValidationException', `Names must have 1 to ${NAMES_LIMIT} members.`);
      }
      return {
        Parameters: names.flatMap((name) => find(name) ?? []).map((found) => ({ ...found })),
        InvalidParameters: names.filter((name) => find(name) === undefined),
      };
    },
  };

  return {
    service: 'ssm',
    authorization(operation, input) {
      const names: unknown[] = operation === 'GetParameters' ? (input?.Names ?? []) : [input?.Name];
      return names.map((name) => ({ action: `ssm:${operation}`, resource: parameterArn(String(name)) }));
    },
    async call(operation, input) {
      const run = operations[operation];
      if (run === undefined) {
        throw new AwsError('UnknownOperationException', `Systems Manager ${operation} is not supported`);
      }
      return run(input ?? {});
    },
  };
}
