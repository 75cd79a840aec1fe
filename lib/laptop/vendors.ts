// Which real language and speech endpoints did the user of this laptop ask for?
import type { World } from './world.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface ChosenVendors {
  /** For every function; empty when nothing was asked for. */
  environment: Record<string, string>;
  /** Secret name → key. Never shown. */
  secrets: Record<string, string>;
  model: boolean;
  speech: boolean;
}

/**
 * `MODEL_BASE_URL` with `MODEL_NAME` (and `MODEL_API_KEY`) switch on an OpenAI-compatible language model, `SPEECH_BASE_URL`
 * (with `SPEECH_MODEL`, `SPEECH_API_KEY`) an OpenAI-compatible transcription. Without them nothing leaves the machine.
 */
export function vendorsFrom(env: Env): ChosenVendors {
  const environment: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const modelUrl = given('MODEL_BASE_URL');
  const modelName = given('MODEL_NAME');
  const model = modelUrl !== undefined && modelName !== undefined;
  if (model) {
    Object.assign(environment, {
      MODEL_PROVIDER: 'openai',
      MODEL_BASE_URL: modelUrl,
      MODEL_NAME: modelName,
    });
    secrets['impresario/platform/model'] = given('MODEL_API_KEY') ?? '';
  }
  const speechUrl = given('SPEECH_BASE_URL');
  if (speechUrl !== undefined) {
    Object.assign(environment, { SPEECH_PROVIDER: 'openai', SPEECH_BASE_URL: speechUrl });
    const speechModel = given('SPEECH_MODEL');
    if (speechModel !== undefined) environment['SPEECH_MODEL'] = speechModel;
    secrets['impresario/platform/speech'] = given('SPEECH_API_KEY') ?? '';
  }
  return { environment, secrets, model, speech: speechUrl !== undefined };
}

/** Puts the keys where the functions look for them. */
export async function storeKeys(world: World, { secrets }: ChosenVendors): Promise<void> {
  for (const [name, apiKey] of Object.entries(secrets)) {
    await world.cloud.call('secretsmanager', 'CreateSecret', {
      Name: name,
      SecretString: JSON.stringify({ apiKey }),
    });
  }
}
