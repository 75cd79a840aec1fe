// What does each command do to the small world?
import { changeDigest, type Change } from '../../../lambdas/changes/change.ts';
import { decideOne } from '../../../lambdas/changes/decide-changes.ts';
import { undo, type UndoView } from '../../../lambdas/changes/undo.ts';
import { wasApplied } from '../../../lambdas/changes/undo-plan.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import type { Thing } from './facts.ts';
import type { Command } from './commands.ts';
import { calm, fieldsOf, requestOf, type Play } from './scene.ts';
import { TENANT } from './small-world.ts';

const TOKEN = String(DEFAULT_ACCOUNT.tokens[0]);

/** What somebody does goes on by itself; only waiting takes time. */
export async function obey(scene: Play, command: Command): Promise<void> {
  const { world, things, requests, random } = scene;
  const { agenda: time, weather, platform, meta } = world;
  const thing = 'thing' in command ? (things[command.thing % things.length] as Thing) : undefined;
  const of = <T>(all: readonly T[], which: number): T | undefined => all[which % Math.max(1, all.length)];
  switch (command.do) {
    case 'wait':
      return world.advance(command.ms);
    case 'queue': {
      const request = requestOf(scene, command);
      requests.push(request);
      return void world.queue(request);
    }
    case 'queue-again': {
      const request = of(requests, command.which);
      return request === undefined ? undefined : void world.queue(request);
    }
    case 'follow': {
      const parent = of(world.changes(), command.which);
      const request = requestOf(scene, {
        do: 'queue',
        thing: command.thing,
        kind: 'PAUSE',
        factor: 1,
        wrongFrom: false,
        request: {},
      });
      const after = random.chance(0.5) ? 'after' : 'behind';
      if (parent === undefined) return;
      return void world.queue({
        ...request,
        [after]: [parent.id],
        origin: { ...request.origin, id: `follows-${parent.id}` },
      });
    }
    case 'edit': {
      const fields = fieldsOf(scene, thing as Thing);
      const budget = Number(fields['daily_budget'] ?? 0);
      const edit =
        command.status !== undefined || budget === 0
          ? { status: command.status ?? ('PAUSED' as const) }
          : { dailyBudget: Math.max(100, Math.round(budget * command.factor)) };
      try {
        meta.person.edit((thing as Thing).id, edit);
      } catch {
        // Nobody can set that: it is archived.
      }
      return;
    }
    case 'weather':
      if (command.kind === 'calm') calm(world);
      if (command.kind === 'slow') platform.weather.slow = 0.5;
      if (command.kind === 'lost-replies') platform.weather.lostReply = 0.4;
      if (command.kind === 'disconnects') platform.weather.refused = 0.4;
      if (command.kind === 'silence') platform.weather.silent = 0.3;
      if (command.kind === 'table-refusals') weather.refused = 0.15;
      if (command.kind === 'lost-writes') weather.lost = 0.15;
      if (command.kind === 'kills') weather.killed = 0.35;
      if (command.kind === 'twice') Object.assign(weather, { twice: 0.6, never: 0.2 });
      return;
    case 'tables-down':
      weather.tablesDownUntil = time.now() + command.forMs;
      return;
    case 'throttle':
      return meta.throttle(world.accountId, { forMs: command.forMs });
    case 'token':
      return meta.expireToken(TOKEN, command.isExpired);
    case 'review':
      return meta.setReview((thing as Thing).id, command.inReview ? 'PENDING_REVIEW' : null);
    case 'switch':
      return void turn(scene, command);
    case 'decide':
      return void decide(scene, of(world.changes(), command.which), command.decision);
    case 'stop': {
      const execution = of(world.machine.running(), command.which);
      return execution === undefined ? undefined : world.machine.stop(execution);
    }
    case 'undo': {
      const applied = world.changes().filter(wasApplied);
      const one = of(applied, command.which);
      const some = command.all ? applied : applied.filter((change) => change === one);
      return some.length === 0 ? undefined : void takeBack(scene, some);
    }
  }
}

function turn({ world, things }: Play, { scope, on }: Extract<Command, { do: 'switch' }>): Promise<unknown> {
  const id = { tenant: '', account: world.accountId, campaign: things[0]?.id ?? '', rule: 'rule-1' }[scope];
  const one = (scope === 'tenant' ? { kind: scope } : { kind: scope, id }) as { kind: 'tenant' };
  return world.run('somebody at the switch', async (road) => {
    const { switches } = world.functions.desk(road);
    if (on)
      await switches.turnOn(TENANT, {
        scope: one,
        actor: 'somebody',
        comment: 'stop',
        since: world.agenda.now(),
      });
    else await switches.turnOff(TENANT, one);
  });
}

function decide(
  { world }: Play,
  change: Change | undefined,
  decision: Extract<Command, { do: 'decide' }>['decision'],
): Promise<unknown> {
  if (change === undefined) return Promise.resolve();
  return world.run(`somebody who decides: ${decision}`, async (road) => {
    const { changes, withdrawals } = world.functions.desk(road);
    const nowMs = world.agenda.now();
    if (decision === 'retract') return changes.retract(TENANT, change.id, 'not wanted any more', nowMs);
    const order = { decision, actor: 'somebody', comment: 'because', digest: changeDigest(change) };
    return decideOne(TENANT, change.id, order, { changes, withdrawals, nowMs });
  });
}

function takeBack({ world, undone }: Play, applied: Parameters<typeof undo>[0]): Promise<unknown> {
  return world.run('somebody who takes back', async (road) => {
    const { changes, audit } = world.functions.desk(road);
    const ads = world.platform.port({ name: 'undo', dead: false }, 'undo');
    const nowMs = world.agenda.now();
    const caller = { tenant: TENANT, subject: 'somebody', role: 'admin' } as Parameters<
      typeof undo
    >[1]['caller'];
    const view: UndoView = await undo(
      applied,
      { caller, preview: false, comment: 'back', key: String(nowMs) },
      { changes, ads, settings: world.settings, audit, nowMs },
    );
    undone.push({ atMs: nowMs, steps: view.steps });
  });
}
