// What do the simulated language models answer?
import { sampleOf } from './sample.ts';

export interface ChatRequest {
  model: string;
  system: string;
  user: string;
  /** JSON schema the client asked the answer to follow. */
  schema: unknown;
  /** How many messages came before the last: above 2 the client is asking for a repair. */
  turns: number;
  /** Where the vendor knows seeds. */
  seed?: number | undefined;
}

/** Text is sent as it is, anything else as JSON; `undefined` leaves it to the default answer. */
export type Script = (request: ChatRequest) => unknown;

export interface Scripts {
  add(script: Script): void;
  /** The first script that has an answer; otherwise the smallest value that fits the schema. */
  answer(request: ChatRequest): unknown;
  clear(): void;
}

export function createScripts(): Scripts {
  let scripts: readonly Script[] = [];
  return {
    add(script) {
      scripts = [script, ...scripts];
    },
    answer(request) {
      for (const script of scripts) {
        const answer = script(request);
        if (answer !== undefined) return answer;
      }
      return sampleOf(request.schema);
    },
    clear() {
      scripts = [];
    },
  };
}
