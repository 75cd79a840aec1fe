// Is a run settled once, when its end is told twice, to a function that dies, by a clock that ran out or by a person who stops it?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MACHINE_ARN, startRig, type Rig, type RunFault } from './rig.ts';
import { stopAll, STOPPABLE, type Moment } from './stops.ts';
import { queueTroubles, troubles } from './verify.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

const SETTLE = 'impresario-dev-settle-run';
const killed = (when: 'before' | 'after'): RunFault => ({
  function: SETTLE,
  invocation: 'kill',
  when,
  times: 1,
});
const lost = (service: 'dynamodb' | 'sqs' | 'events' | 'lambda'): RunFault => ({
  function: SETTLE,
  service,
  when: 'after',
  effect: { kind: 'lost-reply' },
  times: 1,
});

describe('settling a failed run', () => {
  it.each<{ how: string; fault: RunFault }>([
    { how: 'was asked twice', fault: { function: SETTLE, invocation: 'duplicate', times: 1 } },
    { how: 'died before it began', fault: killed('before') },
    { how: 'died when all was done', fault: killed('after') },
    { how: 'never heard that a row was written', fault: lost('dynamodb') },
    { how: 'never heard that the event was sent', fault: lost('events') },
    { how: 'never heard that the undo was done', fault: lost('lambda') },
  ])('happens once though settle-run $how', async ({ fault }) => {
    const subject = await rig.subject();
    const broken = rig.break(subject, fault);
    // Neither undo of the machine works, so all is left to settle-run.
    const undos = ['undo-queue-go-live', 'undo-publish', 'record-outcome'].map((name) =>
      rig.break(subject, { function: name, invocation: 'error', errorType: 'Refused', times: 1 }),
    );
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    expect(status).toBe('FAILED');
    expect(undos.map(({ hits }) => hits)).toEqual([1, 1, 1]);
    expect(broken.hits).toBe(1);
    expect(await troubles(rig, subject, 'nothing')).toEqual([]);
    const letters = await rig.take('creative-dead-letters');
    expect(letters.map(({ kind, run }) => [kind, run.id])).toEqual([['run', subject.runId]]);
    await rig.retire(subject);
  });
});

describe('an execution that ran out of time', () => {
  it('is undone, closed and can be redriven', async () => {
    const { cloud } = rig.world;
    const { definition } = await cloud.call('states', 'DescribeStateMachine', {
      stateMachineArn: MACHINE_ARN,
    });
    const limited = JSON.stringify({ ...JSON.parse(definition), TimeoutSeconds: 60 });
    await cloud.call('states', 'UpdateStateMachine', { stateMachineArn: MACHINE_ARN, definition: limited });
    const subject = await rig.subject();
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    expect(status).toBe('TIMED_OUT');
    const row = await rig.runs.get(subject.tenant, subject.runId);
    expect([row?.status, row?.error?.name]).toEqual(['failed', 'States.Timeout']);
    expect(
      rig.world.sandbox.meta.requests.some(
        ({ method, url }) => method === 'POST' && url.includes(subject.account.id),
      ),
    ).toBe(true);
    expect(await troubles(rig, subject, 'nothing')).toEqual([]);
    expect(await rig.take('creative-dead-letters')).toMatchObject([
      { kind: 'run', run: { id: subject.runId } },
    ]);

    await cloud.call('states', 'UpdateStateMachine', { stateMachineArn: MACHINE_ARN, definition });
    await rig.redrive(subject);
    expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
    expect(await troubles(rig, subject, 'published')).toEqual([]);
    await rig.retire(subject);
  });
});

describe('a failed run', () => {
  it.each([
    { state: 'PublishAds', fault: { function: 'publish-ads', invocation: 'kill', when: 'before' } },
    { state: 'PublishAds', fault: { function: 'publish-ads', invocation: 'throttle' } },
    {
      state: 'QueueGoLive',
      fault: { function: 'queue-go-live', callIndex: 4, when: 'after', effect: { kind: 'kill' } },
    },
    {
      state: 'ReportRenderFailure',
      fault: { function: 'render-', invocation: 'error', errorType: 'Refused' },
    },
  ] as const)('says that it failed in $state, whatever ran after it: %#', async ({ state, fault }) => {
    const subject = await rig.subject();
    rig.break(subject, fault);
    if (state === 'ReportRenderFailure')
      rig.break(subject, {
        function: 'report-render-failure',
        invocation: 'error',
        errorType: 'InvalidInput',
      });
    await rig.start(subject);
    expect((await rig.ended(subject)).status).toBe('FAILED');
    expect(await rig.take('creative-dead-letters')).toMatchObject([{ kind: 'run', state }]);
    expect((await rig.runs.get(subject.tenant, subject.runId))?.error?.state).toBe(state);
    await rig.retire(subject);
  });
});

const after = (index: number): Moment => ({ index, when: 'after' });

/** One of each kind of state, and each step that makes or takes back something; the long tests play all at every request. */
const MOMENTS: Readonly<Record<string, Moment>> = {
  WaitForTranscript: 'entry',
  AskForReview: 'question',
  'Anything approved?': 'entry',
  RenderVariations: 'entry',
  RenderGroup: after(3),
  PublishCampaign: after(20),
  WaitForVideos: 'entry',
  PublishAds: after(20),
  QueueGoLive: after(8),
  RecordOutcome: after(3),
  UndoPublish: after(8),
};

describe('an execution', () => {
  const stops = STOPPABLE.flatMap((state) => {
    const moment = MOMENTS[state.name];
    return moment === undefined ? [] : [{ state, moment }];
  });

  it('is stopped in states that there are', () => {
    expect(stops.map(({ state }) => state.name)).toEqual(Object.keys(MOMENTS));
  });

  stopAll(stops, false, () => rig);
});

describe('the queues', () => {
  it('are empty when all of this is over', async () => {
    // A message that is shown again after its visibility timeout finds its work done.
    await rig.world.cloud.advance(3_600_000);
    expect(await queueTroubles(rig)).toEqual([]);
  });
});
