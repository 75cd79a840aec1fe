import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_BRIEF } from '../../lib/laptop/brief.ts';
import { runExecution, type ExecutionResult, type WhenAsked } from '../../lib/laptop/execution.ts';
import { tellQuestion } from '../../lib/laptop/review.ts';
import { openScreen } from '../../lib/laptop/screen.ts';
import { startWorld, type World } from '../../lib/laptop/world.ts';
import { testAssembly } from '../support/assembly.ts';

const VARIATION = 'v-0123456789ab';
const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:';

/** An hour of waiting, then a person is asked through the real AskForReview, with a day to answer. */
const definition = {
  QueryLanguage: 'JSONata',
  StartAt: 'An hour',
  States: {
    'An hour': { Type: 'Wait', Seconds: 3600, Next: 'AskForReview' },
    AskForReview: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Arguments: {
        FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:impresario-dev-ask-for-review',
        Payload: {
          run: '{% $states.input.run %}',
          execution: '{% $states.context.Execution.Id %}',
          state: 'AskForReview',
          input: {
            token: '{% $states.context.Task.Token %}',
            request: { source: { kind: 'drive', fileId: 'sample-video' }, brief: SAMPLE_BRIEF },
            plan: {
              id: 'plan',
              title: 'A plan',
              writtenBy: 'default-strategy',
              needsReview: true,
              reasons: [],
              variations: [
                {
                  id: VARIATION,
                  title: 'One',
                  hook: { type: 'question', text: 'Cold coffee?' },
                  template: 'demo',
                  shots: [
                    {
                      sceneId: 's01',
                      startMs: 0,
                      endMs: 1000,
                      role: 'hook',
                      textOverlay: '',
                      transition: 'cut',
                    },
                  ],
                  callToAction: { type: 'buy_now', text: 'Buy now' },
                  captionStyle: 'bold',
                  grade: 'warm',
                  pace: 'fast',
                  primaryText: '',
                  headline: '',
                  hashtags: [],
                  targetAudience: '',
                  emotionalTriggers: [],
                },
              ],
            },
            verdicts: { list: [] },
            forecasts: { list: [] },
            reasons: ['Nobody judged it.'],
            timeoutSeconds: 86_400,
          },
        },
      },
      TimeoutSeconds: 86_400,
      Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Silence' }],
      End: true,
    },
    Silence: { Type: 'Pass', Output: { outcome: 'rejected' }, End: true },
  },
};

let world: World;
let asked = 0;

beforeAll(async () => {
  world = await startWorld({ time: 'real', assembly: testAssembly(), ffmpeg: null });
  const { roleArn } = (await world.cloud.call('states', 'DescribeStateMachine', {
    stateMachineArn: `${ARN}impresario-dev-creative-generation`,
  })) as { roleArn: string };
  await world.cloud.call('states', 'CreateStateMachine', {
    name: 'impresario-dev-asking',
    roleArn,
    definition: JSON.stringify(definition),
  });
}, 240_000);

afterAll(() => world.close());

async function ask(
  attempt: number,
  whenAsked: WhenAsked,
  onAsked: () => Promise<void> = async () => undefined,
): Promise<{ result: ExecutionResult; said: string }> {
  let said = '';
  const screen = openScreen({ write: (text: string) => (said += text) });
  asked = 0;
  const run = { id: `run-0000000000000000000000002${attempt}`, tenant: 'demo', attempt: 1 };
  const result = await runExecution(world, screen, {
    stateMachine: 'asking',
    name: run.id,
    input: { run },
    whenAsked,
    async onAsked(stateName) {
      asked += 1;
      await tellQuestion(world, screen, {
        tenant: 'demo',
        runId: run.id,
        stateName,
        otherwise: 'Otherwise.',
      });
      await onAsked();
    },
  });
  return { result, said };
}

describe('an execution that asks a person', { timeout: 60_000 }, () => {
  it('skips a Wait, and says what is asked and how to answer before a day passes', async () => {
    const startedAt = Date.now();
    const { result, said } = await ask(1, 'expire');
    expect(Date.now() - startedAt).toBeLessThan(50_000);
    expect(asked).toBe(1);
    expect(said).toContain('An hour');
    expect(said).toContain('skipped');
    expect(said).toContain('Nobody judged it.');
    expect(said).toContain('“Cold coffee?”');
    expect(said).toContain(`/v1/creatives/run-00000000000000000000000021/review`);
    expect(said).toContain(`{"decisions":[{"variationId":"${VARIATION}","approved":true}]}`);
    expect(said.indexOf('a person must decide')).toBeLessThan(said.indexOf('Silence'));
    expect(result).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'rejected' },
      unanswered: 'AskForReview',
    });
    const durations = result.states.map(({ name, status, durationMs }) => [
      name,
      status,
      Math.floor(durationMs / 3_600_000),
    ]);
    expect(durations).toEqual([
      ['An hour', 'SUCCEEDED', 1],
      ['AskForReview', 'CAUGHT', 24],
      ['Silence', 'SUCCEEDED', 0],
    ]);
  });

  it('is stopped, clearly, where nobody can answer', async () => {
    const { result } = await ask(2, 'stop');
    expect(result.status).toBe('ABORTED');
    expect(result.error).toEqual({
      name: 'NeedsAPerson',
      cause: 'AskForReview needs an answer from a person, and nobody is there to give it.',
    });
  });

  it('waits in real time for the answer where somebody is', async () => {
    const beforeMs = world.cloud.clock.now();
    const { result, said } = await ask(3, 'wait', async () => {
      const review = await world
        .table('creatives')
        .get({ pk: 'demo#review', sk: 'run-00000000000000000000000023' });
      await world.cloud.call('states', 'SendTaskSuccess', {
        taskToken: review?.['token'],
        output: JSON.stringify({ approved: [VARIATION] }),
      });
    });
    expect(said).not.toContain('Silence');
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { approved: [VARIATION] } });
    // The hour of the Wait was skipped, the day was not.
    expect(world.cloud.clock.now() - beforeMs).toBeLessThan(3 * 3_600_000);
  });
});
