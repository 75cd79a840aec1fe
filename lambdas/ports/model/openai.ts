// How does an OpenAI-compatible endpoint complete a prompt?
import * as z from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import { httpClient, type Fetch } from '../../runtime/http.ts';
import { openAiError } from '../openai-errors.ts';
import { shaped } from '../shaped.ts';
import { answerWithin, MOST_ANSWER_CHARACTERS } from './answers.ts';
import type { Model } from './model.ts';

export interface OpenAiModelOptions {
  fetch: Fetch;
  clock: Clock;
  /** Without `/v1`: the hosted service, Ollama, vLLM, llama.cpp, … */
  baseUrl: string;
  /** Empty for endpoints that ask for none. */
  apiKey: string;
  model: string;
  timeoutMs: number;
}

const ChatAnswer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
});

/** Escaped text can be twice as long as what it says, and the envelope comes on top. */
const MAX_ANSWER_BYTES = 4 * MOST_ANSWER_CHARACTERS;

export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const url = `${options.baseUrl.replace(/\/$/, '')}/v1/chat/completions`;
  return {
    name: `openai/${options.model}`,
    complete(completion) {
      const { task, system, schema, maxTokens, temperature, seed } = completion;
      const jsonSchema = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
      const what = `Model endpoint: ${task}`;
      const http = httpClient({
        fetch: options.fetch,
        clock: options.clock,
        vendor: 'Model endpoint',
        timeoutMs: options.timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        toError: (answer) => openAiError(answer, what),
      });
      return answerWithin(completion, async (turns) => {
        const { json } = await http.call({
          what: task,
          method: 'POST',
          url,
          headers: options.apiKey === '' ? {} : { authorization: `Bearer ${options.apiKey}` },
          json: {
            model: options.model,
            messages: [
              { role: 'system', content: system },
              ...turns.map(({ role, text }) => ({ role, content: text })),
            ],
            response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: jsonSchema } },
            max_tokens: maxTokens,
            temperature,
            seed,
          },
        });
        return shaped(ChatAnswer, json, what).choices[0]?.message.content ?? '';
      });
    },
  };
}
