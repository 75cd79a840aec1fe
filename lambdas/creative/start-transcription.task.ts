// Who writes down what is said in the video?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { sha256 } from '../runtime/canonical.ts';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput, isTaskError } from '../runtime/errors.ts';
import { speechPort } from '../ports/speech/speech-port.ts';
import { parseWebVtt } from './media/transcript.ts';
import { ownUpload } from './own-upload.ts';
import { CreativeRequest } from './request.ts';
import { Transcript } from './scene-parts.ts';
import { Video } from './types.ts';

/** Regions of the languages most asked for; others are passed on as they are. */
const LANGUAGE_CODES: Readonly<Record<string, string>> = {
  en: 'en-US',
  de: 'de-DE',
  fr: 'fr-FR',
  es: 'es-ES',
  it: 'it-IT',
  pt: 'pt-BR',
};

export const { handler, task } = defineTask({
  name: 'StartTranscription',
  input: z.object({ request: CreativeRequest, video: Video }),
  output: z.object({ transcript: Transcript }),
  needs: { speech: speechPort, media: bucketNeed([{ prefix: 'uploads/', access: 'read' }]) },
  runPercent: [42, 44],
  async run({ request, video }, { speech, media, run, log }) {
    const { captionsKey } = request.sidecars;
    if (captionsKey !== undefined) {
      const file = await media.get(ownUpload(run.tenant, captionsKey, 'request.sidecars.captionsKey'));
      if (file === undefined)
        throw new InvalidInput(`There are no captions at ${captionsKey}.`, {
          path: 'request.sidecars.captionsKey',
        });
      return { transcript: { status: 'done' as const, words: parseWebVtt(file.toString('utf8')) } };
    }
    if (speech === null || !video.hasAudio) return { transcript: { status: 'off' as const } };
    const { language } = request.brief;
    const job = {
      // One transcript per stage (its bucket), tenant and video, whoever asks for it.
      name: `impresario-${sha256(media.name).slice(0, 8)}-${run.tenant}-${video.sha256.slice(0, 32)}`,
      bucket: media.name,
      mediaKey: video.key,
      outputKey: `${run.tenant}/analysis/${video.sha256}/transcript-v1.json`,
      languageCode: LANGUAGE_CODES[language] ?? language,
    };
    try {
      await (await speech()).start(job);
    } catch (error) {
      // Asking again would be answered the same. Words are then missing, as without anybody who listens.
      if (!isTaskError(error) || !['Refused', 'InvalidInput'].includes(error.name)) throw error;
      log.warn('nobody transcribes the video', { error: error.name, reason: error.message });
      return { transcript: { status: 'failed' as const, reason: `${error.name}: ${error.message}` } };
    }
    return { transcript: { status: 'pending' as const, job } };
  },
});
