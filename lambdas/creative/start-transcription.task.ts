// Who writes down what is said in the video?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput } from '../runtime/errors.ts';
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
  async run({ request, video }, { speech, media, run }) {
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
      // One transcript per tenant and video, whoever asks for it.
      name: `impresario-${run.tenant}-${video.sha256.slice(0, 32)}`,
      bucket: media.name,
      mediaKey: video.key,
      outputKey: `${run.tenant}/analysis/${video.sha256}/transcript-v1.json`,
      languageCode: LANGUAGE_CODES[language] ?? language,
    };
    await (await speech()).start(job);
    return { transcript: { status: 'pending' as const, job } };
  },
});
