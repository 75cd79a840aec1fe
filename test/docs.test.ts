// Does the documentation name only what exists?
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { discover } from '../lib/aws/discover.ts';
import { STAGES } from '../lib/aws/stages.ts';
import { COMMANDS } from '../lib/laptop/commands.ts';
import { ofType } from './infrastructure/templates.ts';
import { files, read, ROOT } from './support/sources.ts';

const pages = ['README.md', ...files('docs')].map((path) => ({ path, text: read(path) }));
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
const tree = await discover();

describe.each(pages)('$path', ({ path, text }) => {
  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link = '']) =>
      join(dirname(path), link),
    );
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it('names npm scripts, commands and options that there are', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
    const local = [...text.matchAll(/npm run (?:--silent )?local -- (\w+)([^`\n)]*)/g)];
    for (const [line, command = '', rest = ''] of local) {
      const known = COMMANDS[command];
      expect(known, line).toBeDefined();
      const options = [...rest.replace(/#.*/, '').matchAll(/--([\w-]+)/g)].map(([, option = '']) => option);
      expect(
        options.filter((option) => !Object.hasOwn(known?.options ?? {}, option)),
        line,
      ).toEqual([]);
    }
  });

  it('names stages, routes, functions, tables and queues that there are', () => {
    const stages = [...text.matchAll(/stage=([a-z]+)/g)].map(([, stage = '']) => stage);
    expect(stages.filter((stage) => !(STAGES as readonly string[]).includes(stage))).toEqual([]);

    const paths = tree.routes.flatMap(({ spec }) => spec.routes.map((route) => route.path));
    const asked = [...text.matchAll(/\$API(\/[\w/-]+)|\b(?:GET|PUT|POST) `?(\/[\w/{}-]+)/g)].map(
      ([, a, b]) => a ?? b ?? '',
    );
    const exists = (one: string): boolean =>
      paths.some((path_) => new RegExp(`^${path_.replace(/\{\w+\}/g, '[^/]+')}$`).test(one));
    expect(asked.filter((one) => !exists(one))).toEqual([]);

    const name =
      (property: string) =>
      ({ properties }: { properties: Record<string, unknown> }) =>
        String(properties[property]);
    const names = new Set([
      ...ofType('AWS::SQS::Queue').map(name('QueueName')),
      ...ofType('AWS::Lambda::Function').map(name('FunctionName')),
      ...ofType('AWS::DynamoDB::GlobalTable').map(name('TableName')),
      ...ofType('AWS::Scheduler::ScheduleGroup').map(name('Name')),
      ...ofType('AWS::StepFunctions::StateMachine').map(name('StateMachineName')),
    ]);
    const used = [...text.matchAll(/impresario-\$STAGE-([a-z][a-z-]*[a-z])/g)].map(
      ([, one = '']) => `impresario-dev-${one}`,
    );
    expect(used.filter((one) => !names.has(one))).toEqual([]);
  });
});

it('the README counts what is billed while nothing happens', () => {
  const { text = '' } = pages.find(({ path }) => path === 'README.md') ?? {};
  const row = (label: string): number =>
    Number(new RegExp(`^\\| ${label}[^|]*\\| (\\d+)`, 'm').exec(text)?.[1]);
  expect(row('KMS key')).toBe(ofType('AWS::KMS::Key').length);
  expect(row('CloudWatch alarms')).toBe(ofType('AWS::CloudWatch::Alarm').length);
  expect(row('CloudWatch dashboard')).toBe(ofType('AWS::CloudWatch::Dashboard').length);
  expect(row('queue consumers')).toBe(ofType('AWS::Lambda::EventSourceMapping').length);
  expect(row('schedules')).toBe(ofType('AWS::Scheduler::Schedule').length);
});

it('the README’s table of areas is the tree', () => {
  const { text = '' } = pages.find(({ path }) => path === 'README.md') ?? {};
  const named = [...text.matchAll(/^\| `lambdas\/(\w+)`/gm)].map(([, area = '']) => area);
  const areas = new Set(files('lambdas').map((path) => path.split('/')[1] ?? ''));
  expect([...named, 'runtime', 'ports'].toSorted()).toEqual([...areas].toSorted());
});
