// What may be typed after `npm run local --`, and what is said about it?
import { parseArgs } from 'node:util';
import { demoCommand } from './demo-command.ts';
import type { ExitCode, Surroundings } from './laptop.ts';
import { doctorCommand, tokenCommand } from './other-commands.ts';
import { redriveCommand } from './redrive-command.ts';
import { runCommand } from './run-command.ts';
import { serveCommand } from './serve-command.ts';

/** Wrong usage: said in one sentence, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Option {
  type: 'string' | 'boolean';
  /** What stands after it in the help, `N`. */
  value?: string;
  help: string;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

interface Command {
  summary: string;
  /** After the command's name. */
  usage: string;
  details: readonly string[];
  /** Names of what must and may follow, in order. */
  positionals: { required: readonly string[]; optional: readonly string[] };
  options: Readonly<Record<string, Option>>;
  run(context: Surroundings, positionals: readonly string[], values: Values): Promise<ExitCode>;
}

const PORTS: Command['options'] = {
  'aws-port': {
    type: 'string',
    value: 'N',
    help: 'loopback port of the AWS endpoint (default: any free one)',
  },
  'api-port': { type: 'string', value: 'N', help: 'loopback port of the HTTP API (default: any free one)' },
};
const JSON_OPTION: Command['options'] = {
  json: { type: 'boolean', help: 'one line of JSON on standard output, everything else on standard error' },
};

export const COMMANDS: Readonly<Record<string, Command>> = {
  demo: {
    summary: 'a video becomes a paused campaign while you watch; then it keeps serving (this is npm start)',
    usage: '[VIDEO] [--brief FILE] [--exit]',
    details: [
      'Without VIDEO it makes a sample video of 30 seconds. Beside your own video.mp4 may lie video.vtt (captions),',
      'video.labels.json (what is seen, by time) and video.brief.json (what is advertised).',
    ],
    positionals: { required: [], optional: ['VIDEO'] },
    options: {
      brief: { type: 'string', value: 'FILE', help: 'JSON brief for your own video' },
      exit: { type: 'boolean', help: 'stop after the summary' },
      ...PORTS,
    },
    run: (context, [videoPath], values) =>
      demoCommand(context, {
        ...(videoPath === undefined ? {} : { videoPath }),
        ...(typeof values['brief'] === 'string' ? { briefPath: values['brief'] } : {}),
        exit: values['exit'] === true,
        ...ports(values),
      }),
  },
  run: {
    summary: 'one execution of a state machine; exits 0 only if it SUCCEEDED',
    usage: 'STATE-MACHINE INPUT.json [--json] [--wait]',
    details: [
      'INPUT.json is the execution input, as in events/. Wait states pass at once. When a person is asked and --wait is',
      'not given, time passes at once and silence counts as the state machine says.',
    ],
    positionals: { required: ['STATE-MACHINE', 'INPUT.json'], optional: [] },
    options: {
      ...JSON_OPTION,
      wait: { type: 'boolean', help: 'keep waiting when a person is asked' },
      ...PORTS,
    },
    run: (context, [stateMachine = '', inputPath = ''], values) =>
      runCommand(context, {
        stateMachine,
        inputPath,
        json: values['json'] === true,
        wait: values['wait'] === true,
        ...ports(values),
      }),
  },
  serve: {
    summary: 'serves the API and the AWS endpoint until Ctrl-C',
    usage: '[--aws-port N] [--api-port N] [--json]',
    details: [],
    positionals: { required: [], optional: [] },
    options: { ...JSON_OPTION, ...PORTS },
    run: (context, _positionals, values) =>
      serveCommand(context, { json: values['json'] === true, ...ports(values) }),
  },
  redrive: {
    summary: 'starts ended runs again under their own ids, on what is being served',
    usage: '--run ID | --queue NAME [--tenant T] [--json]',
    details: [
      'Finished steps are not repeated. --queue takes everything off a dead-letter queue, such as creative-dead-letters.',
    ],
    positionals: { required: [], optional: [] },
    options: {
      run: { type: 'string', value: 'ID', help: 'one run (run-…)' },
      queue: { type: 'string', value: 'NAME', help: 'everything on a dead-letter queue' },
      tenant: { type: 'string', value: 'T', help: 'whose run it is (default demo)' },
      ...JSON_OPTION,
    },
    run(context, _positionals, values) {
      const { run, queue, tenant } = values;
      if ((typeof run === 'string') === (typeof queue === 'string'))
        throw new UsageError('redrive needs either --run ID or --queue NAME.');
      return redriveCommand(context, {
        ...(typeof run === 'string' ? { runId: run } : {}),
        ...(typeof queue === 'string' ? { queue } : {}),
        tenant: typeof tenant === 'string' ? tenant : 'demo',
        json: values['json'] === true,
      });
    },
  },
  token: {
    summary: 'an access token for the API that is being served, good for an hour',
    usage: '--tenant T --role viewer|operator|approver|admin [--json]',
    details: [],
    positionals: { required: [], optional: [] },
    options: {
      tenant: { type: 'string', value: 'T', help: 'the tenant it speaks for (demo is connected)' },
      role: { type: 'string', value: 'R', help: 'viewer, operator, approver or admin' },
      ...JSON_OPTION,
    },
    run(context, _positionals, values) {
      const { tenant, role } = values;
      if (typeof tenant !== 'string') throw new UsageError('token needs --tenant T.');
      if (typeof role !== 'string' || !ROLES.includes(role))
        throw new UsageError(`token needs --role, one of ${ROLES.join(', ')}.`);
      return tokenCommand(context, { tenant, role, json: values['json'] === true });
    },
  },
  doctor: {
    summary: 'which optional parts are present, and what each missing one turns off',
    usage: '[--aws-port N] [--api-port N] [--json]',
    details: ['Looks only at this machine and never shows a credential.'],
    positionals: { required: [], optional: [] },
    options: { ...JSON_OPTION, ...PORTS },
    run: (context, _positionals, values) =>
      doctorCommand(context, { json: values['json'] === true, ...ports(values) }),
  },
};

const ROLES = ['viewer', 'operator', 'approver', 'admin'];

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

/** @throws UsageError */
function ports(values: Values): { awsPort?: number; apiPort?: number } {
  const port = (option: string): number | undefined => {
    const given = values[option];
    if (typeof given !== 'string') return undefined;
    const number = Number(given);
    if (!/^\d+$/.test(given) || number > 65_535)
      throw new UsageError(`--${option} takes a port number from 0 to 65535, not “${given}”.`);
    return number;
  };
  const awsPort = port('aws-port');
  const apiPort = port('api-port');
  return { ...(awsPort === undefined ? {} : { awsPort }), ...(apiPort === undefined ? {} : { apiPort }) };
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
