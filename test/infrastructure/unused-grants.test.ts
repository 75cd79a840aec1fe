// Is every granted right needed by some test of the suite, or is there a reason why none needs it?
import { beforeAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { idOf, usedIn, type GrantedRight } from '../support/grant-use.ts';
import { GRANT_REASONS } from './grant-reasons.ts';
import { grantedRights, judgeGrants, type GrantFindings } from './unused-grants.ts';

const partial = inject('partial');
const folder = inject('grantUse');
let findings: GrantFindings;

beforeAll(async () => {
  if (partial !== undefined || folder === undefined) return;
  const { worlds, used } = usedIn(folder);
  if (worlds === 0) throw new Error('No test closed a world: what the suite used was not noted.');
  findings = judgeGrants(await grantedRights(), used, GRANT_REASONS);
});

function needsWholeRun({ skip }: TestContext): void {
  skip(partial !== undefined, `Only a run of the whole suite can tell: ${partial}.`);
}

describe('after the whole suite', () => {
  it('every granted right was needed by a test, or has a reason', (context) => {
    needsWholeRun(context);
    const list = findings.unexplained.map(
      ({ roleArn, action, resource }) =>
        `${roleArn.slice(roleArn.indexOf('role/') + 5)}: ${action} on ${resource}`,
    );
    expect(
      list,
      `${list.length} granted rights were needed by no test. For each (function's role: action on resource):
  1. if no code path needs it, take it out of the \`needs\` of the task, trigger or routes in lambdas/ (or of the
     state machine in lib/aws/workflow.ts) that grants it: a narrower access, prefix or list of actions;
  2. if a code path needs it, write a test in which the deployed function goes that way (testWorld or startRig:
     calling task.run alone is done without the function's role);
  3. if the embedded cloud cannot need it, say why in test/infrastructure/grant-reasons.ts.
If other tests failed in this run, mend them first: what they did not reach is missing here.`,
    ).toEqual([]);
  });

  it('every reason still excuses a right that no test needs', (context) => {
    needsWholeRun(context);
    expect(
      findings.stale.map(
        ({ action, resource, reason }) => `${String(action)} ${String(resource)}: ${reason}`,
      ),
      'These reasons excuse nothing any more: the right is not granted, or a test needs it now. Remove them from test/infrastructure/grant-reasons.ts.',
    ).toEqual([]);
  });
});

describe('the judgement', () => {
  const right = {
    roleArn: 'arn:aws:iam::0:role/one',
    action: 'sqs:SendMessage',
    resource: 'arn:aws:sqs:queue',
  };
  const excuse = { action: /^sqs:/, resource: /:queue$/, reason: 'said' };
  const judge = (used: GrantedRight[], reasons = [excuse]) =>
    judgeGrants([right, { ...right }], new Set(used.map(idOf)), reasons);

  it('finds a right that nobody used or explained, once', () => {
    expect(judge([], [])).toEqual({ unexplained: [right], stale: [] });
    expect(judge([{ ...right, roleArn: 'arn:aws:iam::0:role/other' }], [])).toMatchObject({
      unexplained: [right],
    });
  });

  it('is content with a right that was used, or that a reason excuses', () => {
    expect(judge([right], [])).toEqual({ unexplained: [], stale: [] });
    expect(judge([])).toEqual({ unexplained: [], stale: [] });
  });

  it('finds a reason for what is used now, and one for what nobody is granted', () => {
    expect(judge([right])).toEqual({ unexplained: [], stale: [excuse] });
    const gone = { ...excuse, resource: /:gone$/ };
    expect(judge([], [excuse, gone])).toEqual({ unexplained: [], stale: [gone] });
  });
});
