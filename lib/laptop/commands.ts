// Which commands are there after `npm run local --`, and what does each take?
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

export interface Option {
  type: 'string' | 'boolean';
  /** What stands after it in the help, `N`. */
  value?: string;
  help: string;
}

export type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
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
    usage:
      '--run ID [--tenant T] | [--queue NAME] [--tenant T] [--error E] [--state S] [--machine M] [--json]',
    details: [
      'Finished steps are not repeated. --queue takes everything off a dead-letter queue, such as creative-dead-letters, or what',
      'matches the filters; filters without --queue look through the dead letters of every area.',
    ],
    positionals: { required: [], optional: [] },
    options: {
      run: { type: 'string', value: 'ID', help: 'one run (run-…)' },
      queue: { type: 'string', value: 'NAME', help: 'everything on a dead-letter queue' },
      tenant: { type: 'string', value: 'T', help: 'whose run it is (with --run: demo when not said)' },
      error: { type: 'string', value: 'E', help: 'only what failed with this name, such as Unavailable' },
      state: { type: 'string', value: 'S', help: 'only what failed in this state, such as PublishAds' },
      machine: { type: 'string', value: 'M', help: 'only runs of this state machine' },
      ...JSON_OPTION,
    },
    run(context, _positionals, values) {
      const said = (option: string): string | undefined => {
        const value = values[option];
        return typeof value === 'string' ? value : undefined;
      };
      const runId = said('run');
      const queue = said('queue');
      const filter = {
        tenant: said('tenant'),
        error: said('error'),
        state: said('state'),
        stateMachine: said('machine'),
      };
      const { tenant, ...failures } = filter;
      const json = values['json'] === true;
      if (runId !== undefined) {
        if ([queue, ...Object.values(failures)].some((value) => value !== undefined))
          throw new UsageError('redrive takes --run ID with --tenant only: one run needs no other filter.');
        return redriveCommand(context, { runId, tenant: tenant ?? 'demo', json });
      }
      if ([queue, ...Object.values(filter)].every((value) => value === undefined))
        throw new UsageError('redrive needs --run ID, --queue NAME or a filter such as --error NAME.');
      return redriveCommand(context, { queue, filter, json });
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
