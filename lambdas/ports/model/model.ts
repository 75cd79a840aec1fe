// What do steps need of a language model?
import type * as z from 'zod';

export interface Completion<T extends z.ZodType> {
  /** What the step is, for messages and metrics: `draft battle plan`. */
  task: string;
  system: string;
  user: string;
  /** The answer must fit it; it is also shown to the model as JSON Schema. */
  schema: T;
  maxTokens: number;
  /** 0..1; 0 for judging. */
  temperature: number;
  /** Where the vendor knows seeds, the same seed gives the same answer. */
  seed: number;
}

/**
 * An answer that fits the schema. What the model writes is untrusted: bounded in size, read as JSON, checked; never part of a
 * command.
 * @throws Refused when it answers outside the schema twice, or the vendor refuses (credential, policy); InvalidInput when the request is
 * wrong; RateLimited; Unavailable.
 */
export interface Model {
  /** `<provider>/<model>`, for records. */
  readonly name: string;
  complete<T extends z.ZodType>(completion: Completion<T>): Promise<z.output<T>>;
}
