// Is there still a right for each reason, and does no reason excuse too much?
import { expect, it } from 'vitest';
import { excuses, GRANT_REASONS } from './grant-reasons.ts';
import { grantedRights } from './unused-grants.ts';

const granted = await grantedRights();

/** Of rights that change or cost something elsewhere, only those that the sandbox plays for and the platform itself uses. */
const SERIOUS = /^(secretsmanager|states|lambda|sqs|events|sns|bedrock|rekognition|transcribe):/;

it.each(GRANT_REASONS.map((one) => ({ reason: one.reason, one })))('$reason', ({ one }) => {
  expect(granted.filter((right) => excuses(one, right)).length).toBeGreaterThan(0);
});

it('nothing that changes an ad account, reads a tenant’s secret, sends an event or starts a run is excused', () => {
  const excused = granted.filter((right) => GRANT_REASONS.some((reason) => excuses(reason, right)));
  const serious = excused.filter(({ action }) => SERIOUS.test(action));
  const what = new Set(serious.map(({ action }) => action));
  expect([...what].toSorted()).toEqual([
    'bedrock:InvokeModel',
    'rekognition:DetectLabels',
    'rekognition:DetectText',
    'secretsmanager:GetSecretValue',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
    'sqs:SendMessage',
    'states:DescribeExecution',
    'transcribe:GetTranscriptionJob',
    'transcribe:StartTranscriptionJob',
  ]);
  expect(serious.filter(({ resource }) => /secret:impresario\/tenants/.test(resource))).toEqual([]);
});
