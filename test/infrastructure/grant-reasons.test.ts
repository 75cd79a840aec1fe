// Is there still a right for each reason, and does no reason excuse too much?
import { expect, it } from 'vitest';
import { GRANT_REASONS, reasonFor } from './grant-reasons.ts';
import { statements } from './templates.ts';

const granted = statements().flatMap(({ actions, targets }) =>
  actions.flatMap((action) => targets.map((resource) => ({ action, resource }))),
);

it.each(GRANT_REASONS.map((one) => ({ reason: one.reason, one })))('$reason', ({ one }) => {
  const excused = granted.filter(
    ({ action, resource }) => one.action.test(action) && one.resource.test(resource),
  );
  expect(excused.length).toBeGreaterThan(0);
});

it('nothing that changes an ad account, reads a secret or starts a run is excused', () => {
  const serious = /^(secretsmanager|states|lambda|sqs|events|sns|bedrock|rekognition|transcribe):/;
  expect(granted.filter((grant) => serious.test(grant.action) && reasonFor(grant) !== undefined)).toEqual([]);
});
