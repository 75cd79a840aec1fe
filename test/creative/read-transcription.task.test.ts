// Is a transcript waited for, read when it is done, and its failure no reason to stop?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/read-transcription.task.ts';
import { task as start } from '../../lambdas/creative/start-transcription.task.ts';
import { requestOf, SHA256, videoOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const HEARS = { env: { SPEECH_PROVIDER: 'transcribe' } };
/** What the sandbox takes for any video. */
const DONE_MS = 20_000;

const begin = (job: Job) => job.run(start, { request: requestOf(job.tenant), video: videoOf(job.tenant) });

describe('ReadTranscription', () => {
  it('is pending, then done with the words, and stays so', async () => {
    rig.sandbox.truth.addVideo(SHA256, {
      scenes: [
        {
          startMs: 0,
          endMs: 4000,
          words: [
            { text: 'Good', startMs: 500, endMs: 900 },
            { text: 'evening.', startMs: 900, endMs: 1500 },
          ],
        },
      ],
    });
    const job = await rig.job(HEARS);
    const pending = await begin(job);
    expect(await job.run(task, pending)).toEqual(pending);
    rig.clock.advance(DONE_MS);
    const done = {
      transcript: {
        status: 'done',
        words: [
          { text: 'Good', startMs: 500, endMs: 900, confidence: 0.98 },
          { text: 'evening.', startMs: 900, endMs: 1500, confidence: 0.98 },
        ],
      },
    };
    expect(await job.run(task, pending)).toEqual(done);
    expect(await job.run(task, pending)).toEqual(done);
    expect(await rig.media.head(`${job.tenant}/analysis/${SHA256}/transcript-v1.json`)).toBeDefined();
  });

  it('marks what could not be understood as failed, with the reason', async () => {
    const job = await rig.job(HEARS);
    rig.sandbox.transcribe.fail({ with: 'fails-later' });
    const pending = await begin(job);
    rig.clock.advance(DONE_MS);
    expect(await job.run(task, pending)).toEqual({
      transcript: {
        status: 'failed',
        words: null,
        reason: expect.stringMatching(/^The data in your input media file isn't valid\./) as string,
      },
    });
  });

  it('waits for a result that is done and not there yet', async () => {
    const job = await rig.job(HEARS);
    const pending = await begin(job);
    rig.clock.advance(DONE_MS);
    await job.run(task, pending);
    const { outputKey = '', mediaKey = '' } = pending.transcript.job ?? {};
    await rig.media.delete(outputKey);
    await expect(job.run(task, pending)).rejects.toMatchObject({
      name: 'Unavailable',
      message: `The transcript of ${mediaKey} is done but not readable yet.`,
    });
  });

  it('is off when nobody listens any more, or no job was begun', async () => {
    const pending = await begin(await rig.job(HEARS));
    const off = { transcript: { status: 'off', words: null } };
    expect(await (await rig.job()).run(task, pending)).toEqual(off);
    expect(await (await rig.job(HEARS)).run(task, { transcript: { status: 'pending' } })).toEqual(off);
  });

  it.each([
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
    ['permission', 'Refused'],
  ] as const)('%s → %s', async (failure, name) => {
    const job = await rig.job(HEARS);
    const pending = await begin(job);
    rig.sandbox.transcribe.fail({ with: failure, times: 4 });
    await expect(job.run(task, pending)).rejects.toMatchObject({ name });
  });
});
