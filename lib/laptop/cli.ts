// What was typed after `npm run local --`, and what is said about it?
import { parseArgs } from 'node:util';
import { COMMANDS, UsageError, type Command, type Option, type Values } from './commands.ts';
import type { ExitCode, Surroundings } from './laptop.ts';

/** Runs what was typed. Never throws: problems are sentences on standard error. */
export async function runCli(args: readonly string[], context: Surroundings): Promise<ExitCode> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (context.signal.aborted) return 130;
    context.err.line(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

async function dispatch([name, ...rest]: readonly string[], context: Surroundings): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    for (const line of overview()) context.out.line(line);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new UsageError(
      `There is no command “${name}”. There are: ${Object.keys(COMMANDS).join(', ')}. Say --help for more.`,
    );
  const { values, positionals } = parse(name, command, rest);
  if (values['help'] === true) {
    for (const line of helpOf(name)) context.out.line(line);
    return 0;
  }
  const { required, optional } = command.positionals;
  const missing = required[positionals.length];
  if (missing !== undefined) throw new UsageError(`${name} needs ${missing}. Usage: ${usageOf(name)}`);
  const extra = positionals[required.length + optional.length];
  if (extra !== undefined) throw new UsageError(`${name} does not take “${extra}”. Usage: ${usageOf(name)}`);
  return command.run(context, positionals, values);
}

function parse(
  name: string,
  command: Command,
  args: readonly string[],
): { values: Values; positionals: string[] } {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { type }]) => [option, { type }]),
  );
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw new UsageError(`${name}: ${sentence}. Say --help for what it takes.`, { cause: error });
  }
}

const usageOf = (name: string): string => `npm run local -- ${name} ${COMMANDS[name]?.usage ?? ''}`.trimEnd();

export function overview(): string[] {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'Impresario on this machine: npm run local -- COMMAND',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every command has --help. Optional: MODEL_BASE_URL with MODEL_NAME, and SPEECH_BASE_URL, use OpenAI-compatible',
    'endpoints of yours; FFMPEG_PATH names an ffmpeg; NO_COLOR turns colours off.',
  ];
}

export function helpOf(name: string): string[] {
  const command = COMMANDS[name];
  if (command === undefined) return overview();
  const options = { ...command.options, help: { type: 'boolean', help: 'this text' } as Option };
  const left = Object.entries(options).map(
    ([option, { value }]) => `--${option}${value === undefined ? '' : ` ${value}`}`,
  );
  const width = Math.max(...left.map((text) => text.length));
  return [
    `${name}: ${command.summary}`,
    '',
    `Usage: ${usageOf(name)}`,
    ...(command.details.length === 0 ? [] : ['', ...command.details]),
    '',
    ...Object.values(options).map(({ help }, at) => `  ${left[at]!.padEnd(width)}  ${help}`),
  ];
}
