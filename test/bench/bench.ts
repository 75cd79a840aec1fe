// Does everything hold its figures? `npm run bench [-- executions changes start circuit bundle synth scenes render]`
import { parseArgs } from 'node:util';
import { benchBundle } from './bundle.bench.ts';
import { benchChanges } from './changes.bench.ts';
import { benchCircuit } from './circuit.bench.ts';
import { benchExecutions } from './executions.bench.ts';
import { benchRender } from './render.bench.ts';
import { measureScenesBench } from './scenes.bench.ts';
import { benchStart } from './start.bench.ts';
import { benchSynth } from './synth.bench.ts';

interface Figure {
  what: string;
  measured: number;
  unit: string;
  target: { most: number } | { least: number };
}

const figure = (what: string, measured: number, unit: string, target: Figure['target']): Figure => ({
  what,
  measured,
  unit,
  target,
});

const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  async executions() {
    const one = await benchExecutions();
    const what = `${one.executions} executions of seven Task states, median of ${one.runs}`;
    return [
      figure(what, one.executionsPerSecond, '/s', { least: 2_000 }),
      figure('events in the history of each', one.eventsPerExecution, '', { least: 37 }),
      figure('memory with 1,000 executions open at once', one.concurrentRssMegabytes, 'MB', { most: 700 }),
    ];
  },
  async changes() {
    const loads = [
      { accounts: 200, changesPerAccount: 50 },
      { accounts: 1, changesPerAccount: 2_000 },
    ];
    const figures: Figure[] = [];
    for (const load of loads) {
      const what = `${load.accounts} accounts × ${load.changesPerAccount} changes`;
      const one = await benchChanges({
        ...load,
        onProgress: (done, of) => process.stderr.write(`\r${what}: ${done} of ${of} `),
      });
      process.stderr.write('\n');
      for (const violation of one.violations.slice(0, 20)) process.stderr.write(`${violation}\n`);
      figures.push(
        figure(`${what}, over ${one.virtualHours} virtual hours: applied`, one.completed, '', {
          least: one.changes,
        }),
        figure(`${what}: violations in the account's own log`, one.violations.length, '', { most: 0 }),
        figure(`${what}: state transitions per applied change`, one.transitionsPerChange, '', { most: 10.5 }),
        figure(`${what}: peak memory`, one.peakRssMegabytes, 'MB', { most: 2_000 }),
        figure(`${what}: speed, in real time`, one.changesPerSecond, '/s', { least: 2 }),
      );
    }
    return figures;
  },
  async start() {
    const one = await benchStart();
    return [
      figure(`start until a request is answered, ${one.functions} functions`, one.answeredMs, 'ms', {
        most: 1_000,
      }),
      figure('the same, the first time in the process', one.firstAnsweredMs, 'ms', { most: 1_000 }),
    ];
  },
  async circuit() {
    const one = await benchCircuit();
    return [
      figure('open circuit rejects a check', one.checkMicroseconds, 'µs', { most: 10 }),
      figure('open circuit rejects a call', one.runMicroseconds, 'µs', { most: 10 }),
    ];
  },
  async bundle() {
    const one = await benchBundle();
    return [
      figure('handler with the full stack', one.kilobytes, 'KB', { most: 470 }),
      figure('the same, gzipped', one.gzippedKilobytes, 'KB', { most: 145 }),
      figure('its import to that of a DynamoDB client alone', one.import.ratio, '×', { most: 1.4 }),
    ];
  },
  async synth() {
    const one = await benchSynth();
    return [figure(`cdk synth --no-validation, ${one.functions} functions`, one.seconds, 's', { most: 6 })];
  },
  async scenes() {
    const one = await measureScenesBench();
    return [
      figure("scene detection to select='gt(scene,0.3)'", one.ratio, '×', { most: 1 }),
      figure('F1 on hard cuts', one.ours.score.f1, '', { least: 1 }),
    ];
  },
  async render() {
    const one = await benchRender();
    return [
      figure(
        `${one.variations} variations by one ffmpeg to one each, processor time`,
        one.groupToSingle,
        '×',
        { most: 1 },
      ),
      figure('the same to trim filters, decoding from the start', one.groupToTrimmed, '×', { most: 1 }),
    ];
  },
};

function holds({ measured, target }: Figure): boolean {
  return 'most' in target ? measured <= target.most : measured >= target.least;
}

function line(one: Figure): string {
  const { what, measured, unit, target } = one;
  const number = (value: number): string =>
    value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
  const bound = 'most' in target ? `at most ${number(target.most)}` : `at least ${number(target.least)}`;
  const verdict = holds(one) ? 'pass' : 'FAIL';
  return `${verdict}  ${what.padEnd(66)} ${`${number(measured)} ${unit}`.padStart(12)}   ${bound} ${unit}`.trimEnd();
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
if (values.help === true || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no bench “${name}”.`);
  console.log(`npm run bench [-- NAME …]   names: ${Object.keys(BENCHES).join(', ')} (default: all)`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
// Otherwise every transition of a circuit prints its metric between the figures.
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
const missed: Figure[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for (const one of await bench()) {
    console.log(line(one));
    if (!holds(one)) missed.push(one);
  }
}
console.log(missed.length === 0 ? 'Every figure holds.' : `${missed.length} missed.`);
process.exit(missed.length === 0 ? 0 : 1);
