// How does an OpenAI-compatible endpoint answer on a laptop?
import { createHash } from 'node:crypto';
import type { TruthRegistry } from '../truth.ts';
import type {
  CustomFailure,
  SandboxContext,
  SandboxReply,
  SandboxRequest,
  Vendor,
  VendorFailure,
} from '../vendor.ts';
import { createScripts, type ChatRequest, type Script } from '../model-scripts.ts';

export interface OpenAi extends Vendor {
  /** Answers chat requests from now on; later scripts are asked first. */
  script(script: Script): void;
}

export const DEFAULT_API_KEY = 'sandbox-openai-key';

export function createOpenAi(context: SandboxContext, truth: TruthRegistry): OpenAi {
  const scripts = createScripts();

  const chat = (request: SandboxRequest): SandboxReply => {
    const body = JSON.parse(request.body.toString('utf8')) as {
      model?: string;
      seed?: number;
      messages?: { role: string; content: string }[];
      response_format?: { json_schema?: { schema?: unknown } };
    };
    if (body.model === undefined || !Array.isArray(body.messages)) {
      return openAiError(400, 'invalid_request_error', 'you must provide a model and messages', null);
    }
    const asked: ChatRequest = {
      model: body.model,
      system: body.messages.find(({ role }) => role === 'system')?.content ?? '',
      user: body.messages.find(({ role }) => role === 'user')?.content ?? '',
      schema: body.response_format?.json_schema?.schema,
      turns: body.messages.length,
      seed: body.seed,
    };
    return completion(body.model, scripts.answer(asked));
  };

  const completion = (model: string, answer: unknown): SandboxReply => ({
    status: 200,
    body: {
      id: `chatcmpl-${Math.floor(context.random() * 2 ** 40).toString(36)}`,
      object: 'chat.completion',
      created: Math.floor(context.now() / 1000),
      model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: typeof answer === 'string' ? answer : JSON.stringify(answer),
          },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 100, completion_tokens: 100, total_tokens: 200 },
    },
  });

  const transcribe = async (request: SandboxRequest): Promise<SandboxReply> => {
    const contentType = request.headers['content-type'] ?? '';
    const form = await new Response(new Uint8Array(request.body), {
      headers: { 'content-type': contentType },
    }).formData();
    const file = form.get('file');
    if (file === null || typeof file === 'string')
      return openAiError(400, 'invalid_request_error', 'file is required', null);
    const sha256 = createHash('sha256')
      .update(new Uint8Array(await file.arrayBuffer()))
      .digest('hex');
    const words = truth.words(`any/sources/${sha256}`) ?? [];
    const text = words.map((word) => word.text).join(' ');
    if (form.get('response_format') !== 'verbose_json') return { status: 200, body: { text } };
    return {
      status: 200,
      body: {
        task: 'transcribe',
        language: 'english',
        duration: (words.at(-1)?.endMs ?? 0) / 1000,
        text,
        ...(form.getAll('timestamp_granularities[]').includes('word')
          ? {
              words: words.map((word) => ({
                word: word.text,
                start: word.startMs / 1000,
                end: word.endMs / 1000,
              })),
            }
          : {}),
      },
    };
  };

  return {
    name: 'openai',
    script: scripts.add,
    async handle(request) {
      if (request.headers['authorization'] !== `Bearer ${DEFAULT_API_KEY}`)
        return failureReply('expired-token');
      if (request.method === 'POST' && request.path === '/v1/chat/completions') return chat(request);
      if (request.method === 'POST' && request.path === '/v1/audio/transcriptions')
        return transcribe(request);
      return openAiError(
        404,
        'invalid_request_error',
        `Invalid URL (${request.method} ${request.path})`,
        null,
      );
    },
    failure: (kind) =>
      kind === 'nonsense'
        ? completion('nonsense', 'Sure! As a large language model, I think: {"this": ')
        : failureReply(kind),
    reset: scripts.clear,
  };
}

function openAiError(status: number, type: string, message: string, code: string | null): SandboxReply {
  return { status, body: { error: { message, type, param: null, code } } };
}

function failureReply(kind: VendorFailure | CustomFailure): SandboxReply {
  if (typeof kind !== 'string') {
    return {
      status: kind.status,
      ...(kind.headers === undefined ? {} : { headers: kind.headers }),
      body: {
        error: { message: 'Scripted error', type: 'api_error', param: null, code: null, ...kind.error },
      },
    };
  }
  switch (kind) {
    case 'throttle':
      return openAiError(429, 'requests', 'Rate limit reached for requests', 'rate_limit_exceeded');
    case 'server-error':
    case 'nonsense':
      return openAiError(500, 'server_error', 'The server had an error while processing your request', null);
    case 'expired-token':
      return openAiError(401, 'invalid_request_error', 'Incorrect API key provided', 'invalid_api_key');
    case 'permission':
      return openAiError(
        403,
        'invalid_request_error',
        'Country, region, or territory not supported',
        'unsupported_country_region_territory',
      );
    case 'policy':
      return openAiError(
        400,
        'invalid_request_error',
        'Your request was rejected by the safety system',
        'content_policy_violation',
      );
    case 'refuse':
      return openAiError(400, 'invalid_request_error', 'Invalid value', 'invalid_value');
  }
}
