// Which permissions do DynamoDB calls ask for?
import { describe, expect, it } from 'vitest';
import { dynamoAuthorization } from '../../../lib/local/dynamodb/authorization.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/';

describe('permissions of DynamoDB calls', () => {
  it('asks for the index when the index is read, and for the table otherwise', () => {
    expect(dynamoAuthorization('Query', { TableName: 'runs', IndexName: 'byTime' })).toEqual([
      { action: 'dynamodb:Query', resource: `${TABLE}runs/index/byTime` },
    ]);
    expect(dynamoAuthorization('Query', { TableName: 'runs' })).toEqual([
      { action: 'dynamodb:Query', resource: `${TABLE}runs` },
    ]);
  });

  it('asks for every member of a transaction its own action', () => {
    expect(
      dynamoAuthorization('TransactWriteItems', {
        TransactItems: [
          { Put: { TableName: 'runs' } },
          { Update: { TableName: 'changes' } },
          { Delete: { TableName: 'audit' } },
          { ConditionCheck: { TableName: 'settings' } },
        ],
      }),
    ).toEqual([
      { action: 'dynamodb:PutItem', resource: `${TABLE}runs` },
      { action: 'dynamodb:UpdateItem', resource: `${TABLE}changes` },
      { action: 'dynamodb:DeleteItem', resource: `${TABLE}audit` },
      { action: 'dynamodb:ConditionCheckItem', resource: `${TABLE}settings` },
    ]);
    expect(dynamoAuthorization('BatchWriteItem', { RequestItems: { runs: [], audit: [] } })).toHaveLength(2);
  });
});
