// What do the services that still speak AWS's query protocol answer?
import { randomUUID } from 'node:crypto';
import type { CallContext, Json } from '../types.ts';
import { ACCOUNT, AwsError } from '../types.ts';

const xmlEscape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * STS and SNS speak the query protocol; only what clients ask at their start and Publish are answered.
 * @throws AwsError for any other action
 */
export function queryAnswer(
  form: URLSearchParams,
  context: CallContext,
): { call?: Json; xml(output: Json): string } {
  const action = form.get('Action');
  const wrap = (namespace: string, result: string) =>
    `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result>` +
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`;
  if (action === 'GetCallerIdentity') {
    const { principal } = context;
    const arn =
      principal.kind === 'role'
        ? `${principal.roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/session`
        : `arn:aws:iam::${ACCOUNT}:root`;
    return {
      xml: () =>
        wrap(
          'https://sts.amazonaws.com/doc/2011-06-15/',
          `<Arn>${arn}</Arn><UserId>${ACCOUNT}</UserId><Account>${ACCOUNT}</Account>`,
        ),
    };
  }
  if (action === 'Publish') {
    return {
      call: Object.fromEntries(form),
      xml: ({ MessageId }) =>
        wrap('http://sns.amazonaws.com/doc/2010-03-31/', `<MessageId>${xmlEscape(MessageId)}</MessageId>`),
    };
  }
  throw new AwsError('InvalidAction', `The action ${action} is not supported here`);
}

/** An error in the query protocol's XML. */
export const queryError = (error: AwsError): string =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${error.code}</Code>` +
  `<Message>${xmlEscape(error.message)}</Message></Error></ErrorResponse>`;
