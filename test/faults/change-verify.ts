// Is everything as it must be after a change, whatever went wrong on its way?
import { slotOf } from '../../lambdas/changes/change.ts';
import { runKey } from '../../lambdas/runtime/run-keys.ts';
import type { ChangeRig, ChangeSubject } from './change-rig.ts';

const FIELDS = { budget: 'daily_budget', bid: 'bid_amount', status: 'status' } as const;
/** A reservation holds its place in the windows for so long; an effect after that would be in none. */
const EFFECT_MARGIN_MS = 60_000;

const TAKEN: readonly unknown[] = [200, 'reply-lost', 'truncated'];

/** What the platform was asked to change and did, `applied` times in all, and what it shows now. */
function accountTroubles({ world }: ChangeRig, subject: ChangeSubject, applied: boolean): string[] {
  const { account, request } = subject;
  const { meta } = world.sandbox;
  const field = FIELDS[slotOf(request.kind)];
  const effects = meta.effects(account.id).filter(({ by }) => by === 'api');
  const own = new RegExp(`/${request.entity.id}(?:\\?|$)`);
  const writes = meta.requests.filter(({ method, url, outcome }, no) => {
    if (method !== 'POST' || !own.test(url)) return false;
    // Of a call that was never answered only its effect tells whether it was done.
    return TAKEN.includes(outcome) || effects.some(({ requestNo }) => requestNo === no);
  });
  const found: string[] = [];
  const wanted = applied ? 1 : 0;
  if (effects.length !== wanted) found.push(`${effects.length} effects: ${JSON.stringify(effects)}`);
  // The same value written again is no effect, and must not happen all the same.
  if (writes.length !== wanted) found.push(`the platform took ${writes.length} writes`);
  for (const effect of effects) {
    if (effect.objectId !== request.entity.id || effect.field !== field)
      found.push(`something else was changed: ${JSON.stringify(effect)}`);
    if (String(effect.before) !== String(request.from) || String(effect.after) !== String(request.to))
      found.push(`it went from ${effect.before} to ${effect.after}`);
  }
  for (const { kind, detail } of meta.violations) found.push(`the sandbox saw ${kind}: ${detail}`);
  return found;
}

async function storyTroubles(rig: ChangeRig, { tenant, id }: ChangeSubject, last: string): Promise<string[]> {
  const story = await rig.histories.story(tenant, id);
  const told = story.map(({ move, lease }) => `${lease} ${move}`).join(', ');
  const found: string[] = [];
  if (story.filter(({ status }) => ENDS.includes(status)).length !== 1)
    found.push(`it ended not once: ${told}`);
  if (story.at(-1)?.move !== last) found.push(`its story ends otherwise: ${told}`);
  const claims = story.filter(({ move }) => move === 'claim').map(({ lease }) => lease);
  if (new Set(claims).size !== claims.length) found.push(`a lease was claimed twice: ${told}`);
  if (story.some(({ lease }, index) => lease < (story[index - 1]?.lease ?? 0)))
    found.push(`an older lease wrote after a newer one: ${told}`);
  return found;
}
const ENDS = ['COMPLETED', 'FAILED', 'BLOCKED', 'SUPERSEDED', 'EXPIRED', 'CANCELLED'];

/** Locks, reservations and records that nobody holds any more. */
async function leftTroubles(rig: ChangeRig, subject: ChangeSubject, applied: boolean): Promise<string[]> {
  const { tenant, account, id } = subject;
  const { world, ledgers } = rig;
  const found: string[] = [];
  const locks = await world.table('limits').queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': `${tenant}#lock` },
  });
  for (const { sk } of locks) found.push(`the lock ${sk} was left`);
  const { changes, edits } = await ledgers.get(tenant, account.id);
  for (const [name, all] of Object.entries({ changes, edits })) {
    const own = all.filter(({ changeId }) => changeId === id).map(({ outcome }) => outcome);
    const isBudget = slotOf(subject.request.kind) === 'budget';
    const wanted = applied && (name === 'changes' || isBudget) ? 1 : 0;
    if (own.includes('open')) found.push(`a reservation in the ledger's ${name} is open`);
    if (own.filter((outcome) => outcome === 'applied').length !== wanted)
      found.push(`the ledger's ${name} say ${own.join(', ')}`);
  }
  for (const key of await rig.records(subject)) found.push(`the record ${key} was left`);
  return found;
}

async function runTroubles(
  rig: ChangeRig,
  { tenant, id }: ChangeSubject,
  fine: readonly string[],
): Promise<string[]> {
  const rows = await rig.world.table('runs').queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': runKey(tenant, id) },
    ConsistentRead: true,
  });
  const head = rows.find(({ sk }) => sk === 'run');
  const running = rows.filter(({ status }) => status === 'running').map(({ sk }) => sk);
  const found: string[] = [];
  const says = String(head?.['status']);
  if (!fine.includes(says)) found.push(`the history row says ${says}, not ${fine.join(' or ')}`);
  if (head?.['openPk'] !== undefined) found.push('the history row is still open');
  if (running.length > 0) found.push(`the history still says that ${running.join(', ')} is running`);
  return found;
}

async function witnessTroubles(
  { world, histories }: ChangeRig,
  { tenant, account, request, id }: ChangeSubject,
  applied: boolean,
): Promise<string[]> {
  const timeline = await histories.timeline(tenant, account.id, request.entity);
  const ours = timeline.filter(({ by }) => by === 'us');
  const found: string[] = [];
  if (timeline.length !== ours.length)
    found.push(`the timeline says that others did it: ${JSON.stringify(timeline)}`);
  if (ours.length !== (applied ? 1 : 0)) found.push(`the timeline has ${ours.length} lines of ours`);
  const records = await world.table('audit').queryAll({
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :record)',
    ExpressionAttributeValues: { ':pk': `${tenant}#audit`, ':record': 'record#' },
  });
  const completed = records.filter(
    ({ action, subject }) => action === 'change.completed' && String(subject).startsWith(id),
  );
  if (completed.length !== (applied ? 1 : 0))
    found.push(`${completed.length} audit records of its completion`);
  return found;
}

/** Everything on dead-letter queues, taken from them. */
async function takeLetters({ world }: Pick<ChangeRig, 'world'>): Promise<{ queue: string; body: string }[]> {
  const { QueueUrls = [] } = await world.cloud.call('sqs', 'ListQueues', {});
  const letters: { queue: string; body: string }[] = [];
  for (const QueueUrl of QueueUrls.filter((url: string) => url.endsWith('-dead-letters'))) {
    for (;;) {
      const { Messages = [] } = await world.cloud.call('sqs', 'ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
      });
      if (Messages.length === 0) break;
      for (const { Body, ReceiptHandle } of Messages) {
        letters.push({ queue: String(QueueUrl).split('/').at(-1) ?? '', body: Body });
        await world.cloud.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
      }
    }
  }
  return letters;
}

/**
 * What lies where an operator would have to look. While all tables are away, or a worker is, the clock's calls of workers and the
 * stream's hints are lost; the next minute comes without anybody's help: `lost` lets these pass.
 */
export async function letterTroubles(rig: Pick<ChangeRig, 'world'>, lost = false): Promise<string[]> {
  const letters = await takeLetters(rig);
  return letters
    .filter(({ queue, body }) => !lost || !(queue.includes('wake-changes') || body.includes('scheduledTime')))
    .map(({ queue, body }) => `${queue} holds ${body.slice(0, 300)}`);
}

/** What is wrong with a change that must have been applied, exactly once; one sentence each. `rows`: how its run may have ended. */
export async function appliedTroubles(
  rig: ChangeRig,
  subject: ChangeSubject,
  rows: readonly string[] = ['succeeded'],
): Promise<string[]> {
  const change = await rig.change(subject);
  const { status, statusCode, statusReason, result } = change;
  const found: string[] = [];
  if (status !== 'COMPLETED') found.push(`it is ${status} (${statusCode}: ${statusReason})`);
  if (result?.applied !== subject.request.to) found.push(`its result is ${JSON.stringify(result)}`);
  const [effect] = rig.world.sandbox.meta.effects(subject.account.id);
  if (effect !== undefined && Math.abs(effect.atMs - (result?.executedAt ?? 0)) > EFFECT_MARGIN_MS)
    found.push(`it says it was executed ${(result?.executedAt ?? 0) - effect.atMs} ms after it was`);
  return [
    ...found,
    ...accountTroubles(rig, subject, true),
    ...(await storyTroubles(rig, subject, 'complete')),
    ...(await leftTroubles(rig, subject, true)),
    ...(await runTroubles(rig, subject, rows)),
    ...(await witnessTroubles(rig, subject, true)),
    ...(await letterTroubles(rig)),
  ];
}

/** What is wrong with a change that must have ended as `status` with a reason, the account untouched. */
export async function refusedTroubles(
  rig: ChangeRig,
  subject: ChangeSubject,
  wanted: { status: string; move: string; row: string },
): Promise<string[]> {
  const { status, statusReason, result } = await rig.change(subject);
  const found: string[] = [];
  if (status !== wanted.status) found.push(`it is ${status}: ${statusReason}`);
  if (statusReason === '') found.push('it ended without a reason');
  if (result !== undefined) found.push(`its result is ${JSON.stringify(result)}`);
  return [
    ...found,
    ...accountTroubles(rig, subject, false),
    ...(await storyTroubles(rig, subject, wanted.move)),
    ...(await leftTroubles(rig, subject, false)),
    ...(await runTroubles(rig, subject, [wanted.row])),
    ...(await witnessTroubles(rig, subject, false)),
    ...(await letterTroubles(rig)),
  ];
}

const WAITING_CODES = /^[a-z-]+$/;

/** What is wrong with a change while its fault lasts: it is being worked on, or waits with a time and a reason, or is done. */
export async function waitingTroubles(rig: ChangeRig, subject: ChangeSubject): Promise<string[]> {
  const { status, statusCode, statusReason, notBefore, updatedAt, leasedUntil } = await rig.change(subject);
  const nowMs = rig.world.cloud.clock.now();
  const effects = rig.world.sandbox.meta.effects(subject.account.id).length;
  const found: string[] = [];
  if (effects > 1) found.push(`${effects} effects while the fault lasted`);
  if (status === 'PENDING') {
    if (!WAITING_CODES.test(statusCode) || statusReason === '') found.push('it waits without a reason');
    if (notBefore < updatedAt) found.push('it waits for a time that is over');
  } else if (status === 'CLAIMED' || status === 'EXECUTING') {
    if (leasedUntil <= nowMs) found.push(`it is ${status} under a lease that is over`);
  } else if (status !== 'COMPLETED') found.push(`it is ${status} (${statusCode}) while the fault lasted`);
  return found;
}
