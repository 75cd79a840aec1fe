import { describe, expect, it } from 'vitest';
import { evaluate, references } from '../../../lib/local/deploy/intrinsics.ts';
import type { Scope } from '../../../lib/local/deploy/intrinsics.ts';

const scope: Scope = {
  stack: 'app',
  parameters: { Stage: 'dev', List: ['a', 'b'] },
  condition: (name) => ({ Yes: true, No: false })[name],
  mappings: { Sizes: { dev: { memory: 128 } } },
  resources: new Map([['Queue', { ref: 'http://q', attributes: { Arn: 'arn:q', 'Nested.Path': 'deep' } }]]),
  exports: new Map([['app:Bus', 'bus-1']]),
};

describe('evaluate', () => {
  it.each([
    [{ Ref: 'AWS::Region' }, 'us-east-1'],
    [{ Ref: 'AWS::StackName' }, 'app'],
    [{ Ref: 'Stage' }, 'dev'],
    [{ Ref: 'Queue' }, 'http://q'],
    [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:q'],
    [{ 'Fn::GetAtt': 'Queue.Nested.Path' }, 'deep'],
    [
      { 'Fn::Sub': '${AWS::AccountId}/${Queue.Arn}/${Stage}/${!Literal}' },
      '000000000000/arn:q/dev/${Literal}',
    ],
    [{ 'Fn::Sub': ['${X}-${Stage}', { X: { Ref: 'Queue' } }] }, 'http://q-dev'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Stage' }]] }, 'a-dev'],
    [{ 'Fn::Join': [',', { Ref: 'List' }] }, 'a,b'],
    [{ 'Fn::Select': [1, { 'Fn::Split': [':', 'x:y:z'] }] }, 'y'],
    [{ 'Fn::If': ['Yes', 1, 2] }, 1],
    [{ 'Fn::If': ['No', 1, 2] }, 2],
    [{ 'Fn::And': [{ Condition: 'Yes' }, { 'Fn::Not': [{ Condition: 'No' }] }] }, true],
    [{ 'Fn::Or': [{ Condition: 'No' }, { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }] }, false],
    [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, 128],
    [{ 'Fn::ImportValue': 'app:Bus' }, 'bus-1'],
  ])('%j', (value, expected) => {
    expect(evaluate(value, scope)).toEqual(expected);
  });

  it('leaves out what becomes NoValue', () => {
    const none = { Ref: 'AWS::NoValue' };
    expect(evaluate({ a: none, b: [1, none], c: { 'Fn::If': ['No', 1, none] } }, scope)).toEqual({ b: [1] });
  });

  it('leaves policy conditions alone', () => {
    const statement = { Condition: { Bool: { 'aws:SecureTransport': 'false' } } };
    expect(evaluate(statement, scope)).toEqual(statement);
  });

  it.each([
    [{ Ref: 'Nobody' }, 'Ref to Nobody'],
    [{ 'Fn::GetAtt': ['Queue', 'Color'] }, 'Fn::GetAtt Queue.Color is not supported'],
    [{ 'Fn::Transform': { Name: 'x' } }, 'Fn::Transform is not supported'],
    [{ 'Fn::ImportValue': 'other' }, 'no earlier stack exports'],
    [{ 'Fn::If': ['Maybe', 1, 2] }, 'condition Maybe is not declared'],
  ])('refuses %j', (value, message) => {
    expect(() => evaluate(value, scope)).toThrow(message);
  });
});

it('references finds every name a value needs', () => {
  const value = {
    a: { Ref: 'A' },
    b: [{ 'Fn::GetAtt': ['B', 'Arn'] }, { 'Fn::GetAtt': 'C.Arn' }],
    c: { 'Fn::Sub': ['${D}${E.Arn}${!F}${G}', { G: { Ref: 'H' } }] },
  };
  expect([...references(value)].toSorted()).toEqual(['A', 'B', 'C', 'D', 'E', 'H']);
});
