// Is the transcript done, and what does it say?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { Unavailable } from '../runtime/errors.ts';
import { speechPort } from '../ports/speech/speech-port.ts';
import { Transcript } from './scene-parts.ts';

export const { handler, task } = defineTask({
  name: 'ReadTranscription',
  input: z.object({ transcript: Transcript }),
  output: z.object({ transcript: Transcript }),
  needs: { speech: speechPort, media: bucketNeed([{ prefix: 'analysis/', access: 'read' }]) },
  runPercent: [44, 48],
  async run({ transcript }, { speech, media }) {
    const { job } = transcript;
    if (job === undefined || speech === null) return { transcript: { status: 'off' as const } };
    const ears = await speech();
    const status = await ears.status(job);
    if (status.state === 'running') return { transcript };
    // A video nobody can understand is no reason to stop: its words are missing, and the ranking says so.
    if (status.state === 'failed')
      return { transcript: { status: 'failed' as const, reason: status.reason } };
    const result = await media.getJson(job.outputKey);
    if (result === undefined)
      throw new Unavailable(`The transcript of ${job.mediaKey} is done but not readable yet.`);
    return { transcript: { status: 'done' as const, words: ears.words(result) } };
  },
});
