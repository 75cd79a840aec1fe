// How does Amazon Transcribe turn speech into timed words?
import {
  GetTranscriptionJobCommand,
  StartTranscriptionJobCommand,
  TranscribeClient,
  type LanguageCode,
  type TranscribeClientConfig,
} from '@aws-sdk/client-transcribe';
import * as z from 'zod';
import type { Word } from '../../creative/types.ts';
import { parseAs } from '../../runtime/parse.ts';
import { awsVendorCall } from '../aws-vendor.ts';
import type { Speech } from './speech.ts';

/** Output file: https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output */
const TranscribeResult = z.object({
  results: z.object({
    items: z.array(
      z.object({
        type: z.string(),
        start_time: z.string().optional(),
        end_time: z.string().optional(),
        alternatives: z.array(z.object({ confidence: z.string().optional(), content: z.string() })).min(1),
      }),
    ),
  }),
});

const NAMES = { invalidInput: ['BadRequestException', 'NotFoundException'] };

/** The client decides region, credentials and timeouts. */
export function createTranscribeSpeech(config: TranscribeClientConfig): Speech {
  const client = new TranscribeClient(config);
  return {
    async start(job) {
      const command = new StartTranscriptionJobCommand({
        TranscriptionJobName: job.name,
        LanguageCode: job.languageCode as LanguageCode,
        Media: { MediaFileUri: `s3://${job.bucket}/${job.mediaKey}` },
        OutputBucketName: job.bucket,
        OutputKey: job.outputKey,
      });
      await awsVendorCall('Transcribe: start job', NAMES, async () => {
        try {
          await client.send(command);
        } catch (error) {
          // The name is ours: a job that exists is this job, started by a try whose reply was lost.
          if (!(error instanceof Error && error.name === 'ConflictException')) throw error;
        }
      });
    },
    async status(job) {
      const command = new GetTranscriptionJobCommand({ TranscriptionJobName: job.name });
      const { TranscriptionJob: found } = await awsVendorCall('Transcribe: read job', NAMES, () =>
        client.send(command),
      );
      if (found?.TranscriptionJobStatus === 'COMPLETED') return { state: 'done' };
      if (found?.TranscriptionJobStatus === 'FAILED')
        return { state: 'failed', reason: found.FailureReason ?? 'no reason given' };
      return { state: 'running' };
    },
    words: transcribeWords,
  };
}

/** Punctuation comes as items without times and is joined to the word before it. @throws InvalidInput for another shape. */
export function transcribeWords(result: unknown): Word[] {
  const { items } = parseAs(TranscribeResult, result, 'The transcript').results;
  const words: Word[] = [];
  for (const { type, start_time: start, end_time: end, alternatives } of items) {
    const best = alternatives[0];
    const before = words.at(-1);
    if (best === undefined) continue;
    if (type === 'punctuation') {
      if (before !== undefined) before.text = `${before.text}${best.content}`.slice(0, 200);
    } else if (start !== undefined && end !== undefined) {
      words.push({
        text: best.content.slice(0, 200),
        startMs: Math.round(Number(start) * 1000),
        endMs: Math.round(Number(end) * 1000),
        confidence: Number(best.confidence ?? 0),
      });
    }
  }
  return words;
}
