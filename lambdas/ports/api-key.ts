// Which API key does the stage use for its OpenAI-compatible endpoint?
import * as z from 'zod';
import { secretsNeed } from '../runtime/secrets.ts';

/** Of the whole stage, not of a tenant: `impresario/platform/<name>`. */
export const platformSecrets = secretsNeed('platform/');

/** The JSON of `impresario/platform/model` and `impresario/platform/speech`; an empty key sends no Authorization header. */
export const ApiKey = z.object({ apiKey: z.string() });
