// Which permissions does a DynamoDB call need?
import { ACCOUNT, REGION, type AccessRequest, type Json } from '../types.ts';

const PREFIX = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/`;

const TRANSACT: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

const on = (operation: string, tableName: unknown): AccessRequest => ({
  action: `dynamodb:${operation}`,
  resource: `${PREFIX}${String(tableName)}`,
});

function streamOf(operation: string, input: Json): string {
  if (operation !== 'GetRecords') return String(input?.StreamArn);
  const [arn] = JSON.parse(Buffer.from(String(input?.ShardIterator), 'base64').toString()) as [string];
  return arn;
}

/** As AWS evaluates it: index reads need the index ARN, each member of a transaction its own action on its table. */
export function dynamoAuthorization(operation: string, input: Json): AccessRequest[] {
  switch (operation) {
    case 'ListTables':
    case 'ListStreams':
      return [{ action: `dynamodb:${operation}`, resource: '*' }];
    case 'DescribeStream':
    case 'GetShardIterator':
    case 'GetRecords':
      return [{ action: `dynamodb:${operation}`, resource: streamOf(operation, input) }];
    case 'Query':
    case 'Scan':
      return [
        on(
          operation,
          input?.IndexName === undefined ? input?.TableName : `${input.TableName}/index/${input.IndexName}`,
        ),
      ];
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(input?.RequestItems ?? {}).map((name) => on(operation, name));
    case 'TransactWriteItems':
    case 'TransactGetItems':
      return ((input?.TransactItems ?? []) as Json[]).flatMap((entry) =>
        Object.entries(entry ?? {}).map(([kind, request]) =>
          on(TRANSACT[kind] ?? kind, (request as Json)?.TableName),
        ),
      );
    case 'TagResource':
    case 'UntagResource':
    case 'ListTagsOfResource':
      return [{ action: `dynamodb:${operation}`, resource: String(input?.ResourceArn) }];
    default:
      return [on(operation, input?.TableName)];
  }
}
