// What does a Catch hand to the fallback?
import * as z from 'zod';

/** `$states.errorOutput`. */
export const Failure = z.object({ Error: z.string(), Cause: z.string().default('') });
