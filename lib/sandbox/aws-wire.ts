// How do simulated AWS services speak awsJson1.1?
import type { CustomFailure, SandboxReply, VendorFailure } from './vendor.ts';

/** Thrown inside a simulated AWS service. */
export class AwsServiceError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function awsReply(body: object): SandboxReply {
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

export function awsErrorReply({ code, message, status }: AwsServiceError): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code },
    body: { __type: code, message },
  };
}

/** Answers by operation; what is not in the table is `UnknownOperationException`, as AWS says it. */
export async function awsOperation(
  operations: Readonly<Record<string, (input: Record<string, unknown>) => object | Promise<object>>>,
  path: string,
  body: Buffer,
): Promise<SandboxReply> {
  try {
    const operation = operations[path.slice(1)];
    if (operation === undefined)
      throw new AwsServiceError('UnknownOperationException', `${path.slice(1)} is not simulated.`);
    return awsReply(await operation(JSON.parse(body.toString('utf8')) as Record<string, unknown>));
  } catch (error) {
    if (error instanceof AwsServiceError) return awsErrorReply(error);
    throw error;
  }
}

/** What the switches mean for an AWS service; names of `throttle` and `refuse` differ per service. */
export function awsFailure(
  kind: VendorFailure | CustomFailure,
  names: { throttle: string; refuse: string },
): SandboxReply {
  if (typeof kind !== 'string') {
    const code = kind.error['__type'];
    const error = new AwsServiceError(
      typeof code === 'string' ? code : 'InternalFailure',
      'Scripted error',
      kind.status,
    );
    return awsErrorReply(error);
  }
  switch (kind) {
    case 'throttle':
      return awsErrorReply(new AwsServiceError(names.throttle, 'Rate exceeded'));
    case 'refuse':
    case 'policy':
      return awsErrorReply(new AwsServiceError(names.refuse, 'The request is not valid.'));
    case 'permission':
      return awsErrorReply(
        new AwsServiceError('AccessDeniedException', 'User is not authorized to perform this action.'),
      );
    case 'expired-token':
      return awsErrorReply(
        new AwsServiceError(
          'ExpiredTokenException',
          'The security token included in the request is expired.',
        ),
      );
    case 'server-error':
    case 'nonsense':
      return awsErrorReply(new AwsServiceError('InternalServerError', 'Internal server error.', 500));
  }
}
