// How does Transcribe answer on a laptop about audio whose words are known?
import { awsFailure, awsOperation, AwsServiceError } from '../aws-wire.ts';
import type { TruthRegistry, TruthWord } from '../truth.ts';
import type { SandboxContext, Vendor } from '../vendor.ts';

/** Writes an object where the service would. */
export type PutObject = (bucket: string, key: string, body: Buffer) => Promise<void>;

export type Transcribe = Vendor;

interface Job {
  name: string;
  media: string;
  languageCode: string;
  bucket: string;
  key: string;
  startedAtMs: number;
  failsLater: boolean;
  state: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  failureReason?: string;
}

const PROCESSING_MS = 20_000;

export function createTranscribe(
  context: SandboxContext,
  truth: TruthRegistry,
  putObject?: PutObject,
): Transcribe {
  const jobs = new Map<string, Job>();

  /** A job has no timer of its own: whoever asks after its time finishes it. */
  const settle = async (job: Job): Promise<Job> => {
    if (job.state !== 'IN_PROGRESS' || context.now() < job.startedAtMs + PROCESSING_MS) return job;
    if (job.failsLater || putObject === undefined) {
      job.state = 'FAILED';
      job.failureReason = job.failsLater
        ? "The data in your input media file isn't valid. Check the media file and try your request again."
        : "The S3 bucket can't be accessed. Check the name and permissions, then try your request again.";
      return job;
    }
    const words = truth.words(job.media.replace(/^s3:\/\/[^/]+\//, '')) ?? [];
    await putObject(job.bucket, job.key, Buffer.from(JSON.stringify(result(job, words))));
    job.state = 'COMPLETED';
    return job;
  };

  const start = (input: Record<string, unknown>, failsLater: boolean): object => {
    const name = field(input, 'TranscriptionJobName');
    if (!/^[0-9a-zA-Z._-]{1,200}$/.test(name))
      throw new AwsServiceError('BadRequestException', 'TranscriptionJobName is not valid.');
    if (jobs.has(name))
      throw new AwsServiceError('ConflictException', 'The requested job name already exists.');
    const media = (input['Media'] as { MediaFileUri?: string } | undefined)?.MediaFileUri ?? '';
    if (!/^s3:\/\/[^/]+\/.+/.test(media))
      throw new AwsServiceError('BadRequestException', 'The URI that you provided is not valid.');
    if (input['LanguageCode'] === undefined && input['IdentifyLanguage'] !== true) {
      throw new AwsServiceError('BadRequestException', 'Language code or IdentifyLanguage is required.');
    }
    const job: Job = {
      name,
      media,
      languageCode: typeof input['LanguageCode'] === 'string' ? input['LanguageCode'] : 'en-US',
      bucket: field(input, 'OutputBucketName'),
      key: field(input, 'OutputKey'),
      startedAtMs: context.now(),
      failsLater,
      state: 'IN_PROGRESS',
    };
    jobs.set(name, job);
    return { TranscriptionJob: describe(job) };
  };

  return {
    name: 'transcribe',
    handle: ({ path, body, failsLater }) =>
      awsOperation(
        {
          StartTranscriptionJob: (input) => start(input, failsLater),
          GetTranscriptionJob: async (input) => {
            const job = jobs.get(field(input, 'TranscriptionJobName'));
            if (job === undefined)
              throw new AwsServiceError(
                'BadRequestException',
                "The requested job couldn't be found. Check the job name and try your request again.",
              );
            return { TranscriptionJob: describe(await settle(job)) };
          },
          ListTranscriptionJobs: async (input) => {
            const all = await Promise.all([...jobs.values()].map(settle));
            const wanted = all.filter(
              (job) => input['Status'] === undefined || job.state === input['Status'],
            );
            return { TranscriptionJobSummaries: wanted.map((job) => describe(job)) };
          },
        },
        path,
        body,
      ),
    failure: (kind) =>
      awsFailure(kind, { throttle: 'LimitExceededException', refuse: 'BadRequestException' }),
    reset: () => jobs.clear(),
  };
}

function field(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '')
    throw new AwsServiceError('BadRequestException', `${name} is required.`);
  return value;
}

function describe(job: Job): object {
  return {
    TranscriptionJobName: job.name,
    TranscriptionJobStatus: job.state,
    LanguageCode: job.languageCode,
    Media: { MediaFileUri: job.media },
    CreationTime: job.startedAtMs / 1000,
    ...(job.state === 'COMPLETED'
      ? { Transcript: { TranscriptFileUri: `https://s3.us-east-1.amazonaws.com/${job.bucket}/${job.key}` } }
      : {}),
    ...(job.failureReason === undefined ? {} : { FailureReason: job.failureReason }),
  };
}

/** Seconds as decimal text, punctuation as items of its own without times: the result file's real shape. */
function result(job: Job, words: readonly TruthWord[]): object {
  const items = words.flatMap((word) => {
    const punctuation = /[.,!?]$/.exec(word.text)?.[0];
    const spoken = punctuation === undefined ? word.text : word.text.slice(0, -1);
    return [
      {
        type: 'pronunciation',
        start_time: (word.startMs / 1000).toFixed(3),
        end_time: (word.endMs / 1000).toFixed(3),
        alternatives: [{ confidence: '0.98', content: spoken }],
      },
      ...(punctuation === undefined
        ? []
        : [{ type: 'punctuation', alternatives: [{ confidence: '0.0', content: punctuation }] }]),
    ];
  });
  return {
    jobName: job.name,
    accountId: '000000000000',
    status: 'COMPLETED',
    results: { transcripts: [{ transcript: words.map(({ text }) => text).join(' ') }], items },
  };
}
