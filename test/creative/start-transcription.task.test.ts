// Is a transcript asked for once, and only where there is something to hear and somebody to listen?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/start-transcription.task.ts';
import { sha256 } from '../../lambdas/runtime/canonical.ts';
import { Brief } from '../../lambdas/creative/types.ts';
import { BRIEF, requestOf, SHA256, videoOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const HEARS = { env: { SPEECH_PROVIDER: 'transcribe' } };

const start = (job: Job, change = {}, video = {}) =>
  job.run(task, { request: requestOf(job.tenant, change), video: videoOf(job.tenant, video) });
const captionsKey = (job: Job) => `uploads/${job.tenant}/video.vtt`;

describe('StartTranscription', () => {
  it('is off without anybody who listens, and without sound', async () => {
    const off = { transcript: { status: 'off', words: null } };
    expect(await start(await rig.job())).toEqual(off);
    expect(await start(await rig.job(HEARS), {}, { hasAudio: false })).toEqual(off);
    expect(rig.sandbox.transcribe.requests).toEqual([]);
  });

  it('starts one job per tenant and video, however often it is run', async () => {
    const job = await rig.job(HEARS);
    const first = await start(job);
    expect(first.transcript).toEqual({
      status: 'pending',
      words: null,
      job: {
        name: `impresario-${sha256('media').slice(0, 8)}-${job.tenant}-${SHA256.slice(0, 32)}`,
        bucket: 'media',
        mediaKey: `${job.tenant}/sources/${SHA256}`,
        outputKey: `${job.tenant}/analysis/${SHA256}/transcript-v1.json`,
        languageCode: 'en-US',
      },
    });
    expect(await start(job)).toEqual(first);
    expect(rig.sandbox.transcribe.requests.map(({ outcome }) => outcome)).toEqual([200, 400]);
  });

  it('finds the job of a try whose reply was lost', async () => {
    const job = await rig.job(HEARS);
    rig.sandbox.transcribe.fail({ with: 'apply-and-lose-reply' });
    expect((await start(job)).transcript.status).toBe('pending');
  });

  it.each([
    ['de', 'de-DE'],
    ['pt', 'pt-BR'],
    ['sv-SE', 'sv-SE'],
  ])('asks for the language of the brief: %s is %s', async (language, code) => {
    const { transcript } = await start(await rig.job(HEARS), { brief: { ...BRIEF, language } });
    expect(transcript.job?.languageCode).toBe(code);
  });

  it.each([
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
  ] as const)('%s → %s', async (failure, name) => {
    const job = await rig.job(HEARS);
    rig.sandbox.transcribe.fail({ with: failure, times: 4 });
    await expect(start(job)).rejects.toMatchObject({ name });
  });

  it.each([
    ['permission', 'Refused'],
    ['refuse', 'InvalidInput'],
  ] as const)('%s → the words are missing, and the run goes on', async (failure, name) => {
    const job = await rig.job(HEARS);
    rig.sandbox.transcribe.fail({ with: failure, times: 4 });
    const { transcript } = await start(job);
    expect(transcript).toMatchObject({ status: 'failed', words: null });
    expect(transcript.reason).toMatch(new RegExp(`^${name}: `));
  });

  it.each(['english', 'EN', 'en-us', 'e', '', 'en-US-x', '../en'])('hears no language %j', (language) => {
    expect(Brief.safeParse({ ...BRIEF, language }).error?.issues).toMatchObject([{ path: ['language'] }]);
  });

  it('shares no job with another stage of the account, which has another bucket', async () => {
    const job = await rig.job(HEARS);
    await rig.cloud.call('s3', 'CreateBucket', { Bucket: 'media-of-another-stage' });
    const other = await rig.job({
      tenant: job.tenant,
      env: { ...HEARS.env, BUCKET_MEDIA: 'media-of-another-stage' },
    });
    const names = [await start(job), await start(other)].map(({ transcript }) => transcript.job?.name);
    expect(new Set(names).size).toBe(2);
  });
});

describe('StartTranscription, with captions beside the video', () => {
  it('takes their words, and asks nobody', async () => {
    const job = await rig.job(HEARS);
    await rig.media.put(captionsKey(job), 'WEBVTT\n\n00:01.000 --> 00:02.000\nGood evening\n');
    expect(await start(job, { sidecars: { captionsKey: captionsKey(job) } })).toEqual({
      transcript: {
        status: 'done',
        words: [
          { text: 'Good', startMs: 1000, endMs: 1364, confidence: 1 },
          { text: 'evening', startMs: 1364, endMs: 2000, confidence: 1 },
        ],
      },
    });
    expect(rig.sandbox.transcribe.requests).toEqual([]);
  });

  it('refuses captions that are absent, no WebVTT, or another tenant’s', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    const withCaptions = (key: string) => start(job, { sidecars: { captionsKey: key } });
    await expect(withCaptions(captionsKey(job))).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'request.sidecars.captionsKey',
      message: `There are no captions at ${captionsKey(job)}.`,
    });
    await rig.media.put(captionsKey(job), 'Good evening');
    await expect(withCaptions(captionsKey(job))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The subtitle file does not begin with WEBVTT.',
    });
    await rig.media.put(captionsKey(other), 'WEBVTT\n\n00:01.000 --> 00:02.000\nsecret\n');
    await expect(withCaptions(captionsKey(other))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The upload belongs to another tenant.',
    });
  });
});
