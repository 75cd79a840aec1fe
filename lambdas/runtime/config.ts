// Which settings of the stage does this function read, and are they what it expects?
import type * as z from 'zod';
import type { EnvValue, Need } from './need.ts';

interface Setting<T extends z.ZodType> {
  /** The environment variable, `META_BASE_URL`. */
  env: string;
  /** Receives the variable's text, or undefined when it is not set. */
  schema: T;
}

type Values<S extends Record<string, Setting<z.ZodType>>> = { [K in keyof S]: z.output<S[K]['schema']> };

/**
 * `{ metaBaseUrl: { env: 'META_BASE_URL', schema: z.url() } }`: the key is the field of the stage's configuration that the
 * stacks copy into the variable. Parsed once, at cold start.
 * @throws Error naming every variable that is wrong and why.
 */
export function configNeed<S extends Record<string, Setting<z.ZodType>>>(settings: S): Need<Values<S>> {
  const env: Record<string, EnvValue> = {};
  for (const [field, setting] of Object.entries(settings)) env[setting.env] = { config: field };
  return {
    grants: [],
    env,
    open(variables) {
      const problems: string[] = [];
      const values: Record<string, unknown> = {};
      for (const [field, setting] of Object.entries(settings)) {
        const text = variables[setting.env];
        const parsed = setting.schema.safeParse(text === '' ? undefined : text);
        if (parsed.success) values[field] = parsed.data;
        else
          problems.push(
            `${setting.env} ${text === undefined || text === '' ? 'is not set' : 'is not valid'}: ${parsed.error.issues.map((issue) => issue.message).join(', ')}`,
          );
      }
      if (problems.length > 0)
        throw new Error(`The function's environment is wrong. ${problems.join('. ')}.`);
      return values as Values<S>;
    },
  };
}
