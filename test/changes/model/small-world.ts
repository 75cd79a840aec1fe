// What does the executor of changes live in when it is played thousands of times a minute?
//
// The product's own tasks, repositories, dispatcher, sweep, decisions and state machine; the sandbox's Meta behind the product's
// own vendor file. Tables lie in memory, and functions are processes of the agenda: every call may be late, refused, robbed of its
// reply or its caller.
import { openChanges } from '../../../lambdas/changes/changes.ts';
import { ChangeRequest, type Change, type Intent } from '../../../lambdas/changes/change.ts';
import { fromItem } from '../../../lambdas/changes/change-item.ts';
import { createMeta, type Meta } from '../../../lib/sandbox/meta/meta.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import { Settings } from '../../../lambdas/runtime/settings.ts';
import type { Item } from '../../../lambdas/runtime/table.ts';
import type { TableName } from '../../../lambdas/runtime/tables.ts';
import { agenda, type Agenda, type Process } from './agenda.ts';
import { functionsOf, type Functions } from './functions.ts';
import { machineOf, type Answer, type Machine } from './machine.ts';
import { memoryTables, type Fate, type MemoryTables, type Road, type Write } from './memory-tables.ts';
import { platformOf, type Platform } from './platform.ts';
import type { Random } from './random.ts';

export const TENANT = 'model';
export const START = Date.UTC(2026, 10, 20, 9, 0, 0);
const MINUTE_MS = 60_000;

export interface Weather {
  /** Share of calls to the tables that are refused, and that lose their reply. */
  refused: number;
  lost: number;
  /** Until when the tables refuse everything. */
  tablesDownUntil: number;
  /** Share of invocations that are killed at a random moment. */
  killed: number;
  /** Share of stream deliveries that arrive twice, or never. */
  twice: number;
  never: number;
}

export const CALM: Weather = { refused: 0, lost: 0, tablesDownUntil: 0, killed: 0, twice: 0, never: 0 };

export interface SwitchPeriod {
  key: string;
  onAt: number;
  offAt: number;
}

export interface SmallWorld {
  agenda: Agenda;
  random: Random;
  weather: Weather;
  meta: Meta;
  platform: Platform;
  machine: Machine;
  functions: Functions;
  tables: MemoryTables;
  settings: Settings;
  accountId: string;
  /** Every period in which a switch was on, the executor's own included. */
  switchPeriods: SwitchPeriod[];
  /** Errors that are none of the five names: bugs. */
  bugs: string[];
  changes(): Change[];
  rows(name: TableName): Item[];
  /** Two changes of one object that were taken at the same time. */
  overlaps: string[];
  /** Every intent that was ever recorded, with the time at which its transaction was committed. */
  intents: { changeId: string; committedAt: number; intent: Intent }[];
  /** As somebody from outside: calls are late and may fail, but nobody is killed. */
  outside(name: string): Road;
  run(name: string, body: (road: Road) => Promise<unknown>, timeoutMs?: number): Promise<Answer>;
  /** Lets time pass, with the sweep once a minute. */
  advance(ms: number): Promise<void>;
  queue(request: ChangeRequest): Promise<void>;
  /** Ids whose queueing was answered with success. */
  accepted: Set<string>;
}

export function smallWorld(random: Random, chosen: Record<string, unknown>): SmallWorld {
  const time = agenda(START, random);
  const accountId = DEFAULT_ACCOUNT.id;
  const settings = Settings.parse({
    adAccounts: [
      {
        id: accountId,
        currency: DEFAULT_ACCOUNT.currency,
        timeZone: DEFAULT_ACCOUNT.timeZone,
        pageId: String(DEFAULT_ACCOUNT.pageIds[0]),
        secret: `tenants/${TENANT}/meta`,
      },
    ],
    changes: chosen,
  });
  const meta = createMeta({ now: time.now, random: random.next, baseUrl: () => 'http://sandbox/meta' });
  const weather: Weather = { ...CALM };
  const world = { weather, random, agenda: time, settings, meta, accountId } as SmallWorld;
  const platform = platformOf(world);

  const latencyMs = (): number => (random.chance(0.03) ? random.int(200, 7_000) : random.int(1, 40));
  const roadOf =
    (process: Process): Road =>
    async (): Promise<Fate> => {
      await time.sleep(process, latencyMs());
      if (time.now() < weather.tablesDownUntil) return 'refused';
      const lot = random.next();
      if (lot < weather.refused) return 'refused';
      return lot < weather.refused + weather.lost ? 'lost' : 'done';
    };

  const tables = memoryTables({
    now: time.now,
    lags: (writtenAt) => time.now() - writtenAt < 1_500 && random.chance(0.3),
    onWrite: (write) => noteWrite(world, write),
  });

  /** One invocation: what it sent when it dies goes on its way, but it never hears an answer. */
  function run(
    name: string,
    body: (road: Road, process: Process) => Promise<unknown>,
    timeoutMs = 60_000,
  ): Promise<Answer> {
    const process: Process = { name, dead: false };
    return new Promise((resolve) => {
      const end = (answer: Answer): void => {
        process.dead = true;
        resolve(answer);
      };
      const die = (Error: string): void => {
        if (!process.dead) end({ failure: { Error, Cause: `${name} was stopped` } });
      };
      time.at(time.now() + timeoutMs - 1_500, () => die('Sandbox.Timedout'));
      if (random.chance(weather.killed))
        time.at(time.now() + random.int(1, 400), () => die('Runtime.ExitError'));
      body(roadOf(process), process).then(
        (output) => (process.dead ? undefined : end({ output })),
        (error: Error) => {
          if (process.dead) return;
          if (!KNOWN.has(error.name)) world.bugs.push(`${name}: ${error.stack ?? error.message}`);
          end({ failure: { Error: error.name, Cause: error.message } });
        },
      );
    });
  }

  const functions = functionsOf(world, run);
  const machine = machineOf({
    agenda: time,
    random,
    invoke: (task, envelope, timeoutMs) => functions.invoke(task, envelope, timeoutMs),
  });

  /** The next whole minute at which a schedule would find something to do. */
  function nextTick(): number {
    const now = time.now();
    let [earliest, tooLate] = [Infinity, Infinity];
    for (const item of tables.all('changes')) {
      if (item['status'] === undefined) continue;
      const change = fromItem(item);
      if (change.status === 'CLAIMED' || change.status === 'EXECUTING') earliest = Math.min(earliest, now);
      if (change.status === 'PENDING')
        earliest = Math.min(earliest, Math.max(now, change.notBefore), change.expiresAt);
      if (change.status === 'HELD') tooLate = Math.min(tooLate, change.expiresAt);
    }
    const after = (ms: number, step: number): number => Math.ceil((Math.max(now, ms) + 1) / step) * step;
    return Math.min(after(earliest, MINUTE_MS), after(tooLate, 10 * MINUTE_MS));
  }

  return Object.assign(world, {
    platform,
    machine,
    functions,
    tables,
    switchPeriods: [],
    bugs: [],
    intents: [],
    overlaps: [],
    accepted: new Set<string>(),
    changes: () =>
      tables
        .all('changes')
        .filter((item) => item['status'] !== undefined)
        .map((item) => fromItem(item)),
    rows: (name: TableName) => tables.all(name),
    outside: (name: string) => roadOf({ name, dead: false }),
    run,
    async queue(request: ChangeRequest) {
      const name = 'somebody who queues';
      const asked = ChangeRequest.safeParse(request);
      // Whoever asks for nonsense is told so at once.
      if (!asked.success) return;
      await run(name, async (road) => {
        const { change } = await openChanges(tables.open('changes', road)).queue({
          tenant: TENANT,
          request,
          status: 'PENDING',
          nowMs: time.now(),
        });
        world.accepted.add(change.id);
      });
    },
    async advance(ms: number) {
      const goal = time.now() + ms;
      for (;;) {
        const at = nextTick();
        if (at > goal) break;
        await time.runUntil(at - 1);
        time.at(at, () => void functions.sweep());
        if (random.chance(weather.twice)) time.at(at, () => void functions.sweep());
        if (at % (10 * MINUTE_MS) === 0) time.at(at, () => void functions.expire());
        await time.runUntil(at);
      }
      await time.runUntil(goal);
    },
  });
}

const TAKEN = new Set<string>(['CLAIMED', 'EXECUTING']);
/** A `HttpProblem` is what a person is told. */
const KNOWN = new Set(['HttpProblem', 'InvalidInput', 'Refused', 'RateLimited', 'Unavailable', 'Conflict']);

function noteWrite(world: SmallWorld, { table, before, after }: Write): void {
  if (table !== 'changes') return;
  const { agenda: time, random, weather } = world;
  const key = String((after ?? before)?.pk).split('#')[1];
  if (key === 'switch') noteSwitch(world, before, after);
  if (key === 'change' && after !== undefined) {
    noteOverlap(world, before, after);
    const [was, is] = [before?.['intent'], after['intent']] as [Intent | undefined, Intent | undefined];
    if (is !== undefined && (was?.at !== is.at || was.tries !== is.tries))
      world.intents.push({ changeId: after.sk, committedAt: time.now(), intent: is });
  }
  if (random.chance(weather.never)) return;
  const deliver = (): void =>
    time.at(time.now() + random.int(20, 1_500), () => void world.functions.wake(before, after));
  deliver();
  if (random.chance(weather.twice)) deliver();
}

function noteOverlap(world: SmallWorld, before: Item | undefined, after: Item): void {
  if (before?.['status'] === 'CLAIMED' || after['status'] !== 'CLAIMED') return;
  const claimed = fromItem(after);
  const others = world
    .changes()
    .filter(
      ({ id, status, entity }) => id !== claimed.id && entity.id === claimed.entity.id && TAKEN.has(status),
    );
  for (const { id } of others)
    world.overlaps.push(`${claimed.id} was taken up while ${id} was changing the same object`);
}

function noteSwitch(
  { switchPeriods, agenda: time }: SmallWorld,
  before: Item | undefined,
  after: Item | undefined,
): void {
  const key = String((after ?? before)?.sk);
  const open = switchPeriods.find((one) => one.key === key && one.offAt === Infinity);
  if (after !== undefined && open === undefined)
    switchPeriods.push({ key, onAt: time.now(), offAt: Infinity });
  if (after === undefined && open !== undefined) open.offAt = time.now();
}
