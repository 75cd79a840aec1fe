// `token`, `redrive` and `doctor`: what does one ask of a machine or of what is served there?
import { doctorLines, examine } from './doctor.ts';
import type { ExitCode, Surroundings } from './laptop.ts';
import { NOT_SERVING, readServing, requestToken, type Serving } from './serving.ts';

export interface PortOptions {
  awsPort?: number;
  apiPort?: number;
}

/** Exit code 0: also without optional parts; they are optional. */
export async function doctorCommand(
  context: Surroundings,
  options: PortOptions & { json: boolean },
): Promise<ExitCode> {
  const findings = await examine({ ...context, ...options });
  if (options.json) {
    context.writeOut(`${JSON.stringify({ findings })}\n`);
    return 0;
  }
  for (const line of doctorLines(findings, context.out.paint)) context.out.line(line);
  const serving = readServing(context.cacheDir);
  context.out.line();
  context.out.line(
    serving === undefined
      ? 'Nothing is being served from this folder.'
      : `Serving: API ${serving.apiUrl}, AWS endpoint ${serving.awsEndpoint} (process ${serving.pid}).`,
  );
  return 0;
}

export async function tokenCommand(
  context: Surroundings,
  options: { tenant: string; role: string; json: boolean },
): Promise<ExitCode> {
  const token = await requestToken(servingOf(context), { tenant: options.tenant, role: options.role });
  context.writeOut(
    options.json
      ? `${JSON.stringify({ token, tenant: options.tenant, role: options.role, expiresInSeconds: 3600 })}\n`
      : `${token}\n`,
  );
  return 0;
}

export function servingOf({ cacheDir }: Surroundings): Serving {
  const found = readServing(cacheDir);
  if (found === undefined) throw new Error(NOT_SERVING);
  return found;
}
