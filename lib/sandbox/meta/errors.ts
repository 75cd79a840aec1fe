// How does the simulated Graph API say no?
import type { CustomFailure, SandboxReply, VendorFailure } from '../vendor.ts';

export interface GraphErrorBody {
  message: string;
  type: string;
  code: number;
  error_subcode?: number;
  is_transient?: boolean;
  error_user_title?: string;
  error_user_msg?: string;
}

/** Thrown inside the simulator, answered in Graph's envelope. */
export class GraphError extends Error {
  readonly status: number;
  readonly body: GraphErrorBody;

  constructor(body: Partial<GraphErrorBody> & { message: string; code: number }, status = 400) {
    super(body.message);
    this.status = status;
    this.body = { type: 'OAuthException', ...body };
  }
}

/** `(#100) …`: a parameter is missing, malformed or contradicts another. `title` is shown to people above the message. */
export function invalidParameter(message: string, subcode?: number, title?: string): GraphError {
  return new GraphError({
    message: `(#100) ${message}`,
    code: 100,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    is_transient: false,
    ...(title === undefined ? {} : { error_user_title: title, error_user_msg: message }),
  });
}

/** 100/33: the object does not exist, or this token may not see it; Graph does not say which. */
export function unknownObject(method: string, id: string): GraphError {
  return new GraphError({
    message: `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`,
    type: 'GraphMethodException',
    code: 100,
    error_subcode: 33,
  });
}

export function invalidToken(): GraphError {
  return new GraphError(
    { message: 'Invalid OAuth access token - Cannot parse access token', code: 190 },
    401,
  );
}

/** App, user, custom and business-use-case limits that shut an account for a while. */
export type ThrottleCode = 4 | 17 | 613 | 80_004;

/** All with HTTP 400 and `is_transient: false`, as seen on the live API although they pass with time. */
const THROTTLES: Readonly<Record<ThrottleCode, { message: string; subcode?: number }>> = {
  4: { message: 'Application request limit reached' },
  17: { message: 'User request limit reached', subcode: 2_446_079 },
  613: { message: 'Calls to this api have exceeded the rate limit.', subcode: 1_487_742 },
  80_004: { message: 'There have been too many calls to this ad-account.', subcode: 2_446_079 },
};

export function throttleError(code: ThrottleCode): GraphError {
  const { message, subcode } = THROTTLES[code];
  return new GraphError({
    message: `(#${code}) ${message}`,
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    is_transient: false,
    error_user_title: 'Ad Account Has Too Many API Calls',
    error_user_msg: 'There have been too many calls from this ad-account. Wait a bit and try again.',
  });
}

/** Does the refusal shut the whole account, so that the headers name a time? */
export function shutsAccount(error: GraphError): boolean {
  const { code, error_subcode: subcode } = error.body;
  return Object.entries(THROTTLES).some(
    ([throttle, known]) => Number(throttle) === code && known.subcode === subcode,
  );
}

const FAILURES: Readonly<Record<VendorFailure, () => GraphError>> = {
  refuse: () => invalidParameter('Invalid parameter', 1_487_390),
  throttle: () => throttleError(17),
  'server-error': () =>
    new GraphError(
      {
        message: 'An unexpected error has occurred. Please retry your request later.',
        code: 2,
        is_transient: true,
      },
      500,
    ),
  'expired-token': () =>
    new GraphError(
      {
        message: 'Error validating access token: Session has expired on Thursday, 19-Nov-26.',
        code: 190,
        error_subcode: 463,
      },
      401,
    ),
  permission: () =>
    new GraphError(
      { message: '(#200) Ad account owner has NOT granted ads_management or ads_read permission', code: 200 },
      403,
    ),
  policy: () =>
    new GraphError({
      message: 'The action attempted has been deemed abusive or is otherwise disallowed',
      code: 368,
      error_user_title: 'Action Blocked',
    }),
  nonsense: () => new GraphError({ message: 'An unknown error has occurred.', code: 1 }, 500),
};

/** The error a switch asks for. */
export function failureOf(kind: VendorFailure | CustomFailure): GraphError {
  if (typeof kind === 'string') return FAILURES[kind]();
  return new GraphError({ message: 'Scripted error', code: 1, ...kind.error }, kind.status);
}

/** Graph's envelope; `traceId` is what support asks for. */
export function errorReply(error: GraphError, traceId: string): SandboxReply {
  return { status: error.status, body: { error: { ...error.body, fbtrace_id: traceId } } };
}
