// How does an OpenAI-compatible endpoint complete a prompt?
import * as z from 'zod';
import { exchange, shaped, type Fetch } from '../exchange.ts';
import { openAiError } from '../openai-errors.ts';
import { answerWithin, MOST_ANSWER_CHARACTERS } from './answers.ts';
import type { Model } from './model.ts';

export interface OpenAiModelOptions {
  fetch: Fetch;
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
      return answerWithin(completion, async (turns) => {
        const answer = await exchange(options.fetch, {
          vendor: 'Model endpoint',
          what: task,
          method: 'POST',
          url,
          headers: {
            'content-type': 'application/json',
            ...(options.apiKey === '' ? {} : { authorization: `Bearer ${options.apiKey}` }),
          },
          body: JSON.stringify({
            model: options.model,
            messages: [
              { role: 'system', content: system },
              ...turns.map(({ role, text }) => ({ role, content: text })),
            ],
            response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: jsonSchema } },
            max_tokens: maxTokens,
            temperature,
            seed,
          }),
          timeoutMs: options.timeoutMs,
          maxBytes: MAX_ANSWER_BYTES,
        });
        if (answer.status !== 200) throw openAiError(answer, `Model endpoint: ${task}`);
        return shaped(ChatAnswer, answer.json, `Model endpoint: ${task}`).choices[0]?.message.content ?? '';
      });
    },
  };
}
