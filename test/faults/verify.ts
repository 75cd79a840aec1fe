// Is everything as it must be after a run, whatever went wrong in it?
import { listDebts } from '../../lambdas/runtime/debts.ts';
import { PUBLISH_EFFECTS } from '../../lambdas/creative/publish.ts';
import type { ObjectKind } from '../../lib/sandbox/meta/store.ts';
import { keysOf } from './reference.ts';
import type { Rig, Subject } from './rig.ts';

const KINDS: readonly ObjectKind[] = ['campaign', 'adset', 'advideo', 'adcreative', 'ad'];
const WAITING = ['PENDING', 'HELD'];

export type Ending = 'published' | 'nothing';

/**
 * What is wrong, one sentence each; empty when all is well. `published`: one paused campaign with one ad per variation, its
 * changes held, its intents applied. `nothing`: the account as it began, no change waiting, every intent undone.
 */
export async function troubles(rig: Rig, subject: Subject, ending: Ending): Promise<string[]> {
  const found = [
    ...accountTroubles(rig, subject, ending),
    ...(await changeTroubles(rig, subject, ending)),
    ...(await rowTroubles(rig, subject, ending)),
    ...(await objectTroubles(rig, subject, ending)),
    ...undoOrderTroubles(rig, subject, await intentsOf(rig, subject)),
  ];
  for (const { kind, detail } of rig.world.sandbox.meta.violations)
    found.push(`the sandbox saw ${kind}: ${detail}`);
  return found;
}

function accountTroubles({ world }: Rig, { account }: Subject, ending: Ending): string[] {
  const { meta } = world.sandbox;
  if (ending === 'nothing') {
    return KINDS.flatMap((kind) =>
      meta
        .objects(account.id, kind)
        .map(({ fields }) => `${kind} "${String(fields['name'] ?? fields['title'])}" was left`),
    );
  }
  const found: string[] = [];
  for (const kind of KINDS) {
    const objects = meta.objects(account.id, kind);
    const names = objects.map(({ fields }) => String(fields['name'] ?? fields['title']));
    for (const name of names)
      if (names.filter((other) => other === name).length > 1) found.push(`${kind} "${name}" is there twice`);
    const single = kind === 'campaign' || kind === 'adset';
    if (single ? objects.length !== 1 : objects.length < 3)
      found.push(`there are ${objects.length} of ${kind}`);
    if (kind === 'advideo' || kind === 'adcreative') continue;
    for (const { fields } of objects)
      if (fields['status'] !== 'PAUSED') found.push(`${kind} is ${String(fields['status'])}`);
  }
  const [videos, creatives, ads] = (['advideo', 'adcreative', 'ad'] as const).map(
    (kind) => meta.objects(account.id, kind).length,
  );
  if (videos !== ads || creatives !== ads) found.push(`${videos} videos, ${creatives} creatives, ${ads} ads`);
  return found;
}

async function changeTroubles(
  { world }: Rig,
  { tenant, account }: Subject,
  ending: Ending,
): Promise<string[]> {
  const changes = await world.table('changes').queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': `${tenant}#change` },
    ConsistentRead: true,
  });
  const waiting = changes.filter(({ status }) => WAITING.includes(String(status)));
  const entityOf = (change: Record<string, unknown>): string => (change['entity'] as { id: string }).id;
  if (ending === 'nothing')
    return waiting.map((change) => `the change ${change.sk} waits for ${entityOf(change)}`);
  const { meta } = world.sandbox;
  const present = (['campaign', 'adset', 'ad'] as const).flatMap((kind) =>
    meta.objects(account.id, kind).map(({ id }) => id),
  );
  const queued = waiting.map(entityOf);
  return [
    ...present
      .filter((id) => queued.filter((other) => other === id).length !== 1)
      .map((id) => `${id} has not exactly one change`),
    ...queued
      .filter((id) => !present.includes(id))
      .map((id) => `a change waits for ${id}, which is not there`),
  ];
}

interface Row {
  sk: string;
  status?: string;
  result?: { id?: string };
  effect?: string;
}

async function rowsOf({ world }: Rig, { tenant, runId }: Subject): Promise<Row[]> {
  const rows = await world.table('runs').queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': `${tenant}#run#${runId}` },
    ConsistentRead: true,
  });
  return rows;
}

async function intentsOf(rig: Rig, subject: Subject): Promise<Row[]> {
  return (await rowsOf(rig, subject)).filter(({ sk }) => sk.startsWith('effect#'));
}

async function rowTroubles(rig: Rig, subject: Subject, ending: Ending): Promise<string[]> {
  // A redriven run also has the undone intents of its earlier attempts.
  const fine = ending === 'published' ? ['kept', 'undone'] : ['undone'];
  const table = rig.world.table('runs');
  const rows = await rowsOf(rig, subject);
  const debts = (await listDebts(table)).filter(({ runId }) => runId === subject.runId);
  const experiment = await rig.world
    .table('creatives')
    .get({ pk: `${subject.tenant}#experiment`, sk: subject.runId });
  return [
    ...rows
      .filter(({ sk, status }) => sk.startsWith('effect#') && !fine.includes(String(status)))
      .map(({ sk, status }) => `the intent ${sk} is ${status}`),
    ...rows
      .filter(({ sk, status }) => (sk === 'run' || sk.startsWith('step#')) && status === 'running')
      .map(({ sk }) => `the history still says that ${sk} is running`),
    ...debts.map(({ effect, subject: of, error }) => `debt: ${effect}/${of}: ${error}`),
    ...((experiment !== undefined) === (ending === 'published')
      ? []
      : [`the experiment is ${experiment === undefined ? 'missing' : 'left'}`]),
  ];
}

/**
 * An orphan is an object that no later run of the tenant would read and no redrive would write again: anything outside of
 * sources, frames, analysis (with the run's report), renders, this run's claims and, until the run has succeeded, its upload.
 */
async function objectTroubles({ world }: Rig, { tenant, runId }: Subject, ending: Ending): Promise<string[]> {
  const keys = await keysOf(world, tenant);
  const kept = /^(?:sources|frames|analysis|renders)\//;
  return keys
    .filter((key) => {
      if (key.startsWith('uploads/')) return ending === 'published';
      if (key.startsWith('claims/')) return !key.startsWith(`claims/${runId}/`);
      return !kept.test(key);
    })
    .map((key) => `the object ${key} is an orphan`);
}

/**
 * Ads before creatives before videos before the ad set before the campaign, each by a deletion of its own: none went with its
 * parent. An undo that is tried again begins again with the ads, and Meta deletes what is deleted once more with the same
 * answer: an object's first deletion is the one that counts.
 */
function undoOrderTroubles({ world }: Rig, { account }: Subject, intents: Row[]): string[] {
  const executed = world.sandbox.meta.requests
    .filter(({ method, outcome }) => method === 'DELETE' && (outcome === 200 || outcome === 'reply-lost'))
    .map(({ url }) => /\/(\d+)(?:\?|$)/.exec(url)?.[1]);
  const made = new Map(intents.map(({ effect, status, result }) => [result?.id, { effect, status }]));
  made.delete(undefined);
  const first = [...new Set(executed)].filter((id) => made.has(id));
  const order = first.map((id) => (PUBLISH_EFFECTS as readonly unknown[]).indexOf(made.get(id)?.effect));
  const wrong = order.findIndex((rank, index) => index > 0 && rank > (order[index - 1] ?? 0));
  const kinds = order.map((rank) => PUBLISH_EFFECTS[rank]).join(', ');
  return [
    ...(wrong === -1 ? [] : [`the undo of account ${account.id} deleted a parent first: ${kinds}`]),
    ...[...made]
      .filter(([id, { status }]) => status === 'undone' && !first.includes(id))
      .map(([id, { effect }]) => `the ${effect} ${id} had no deletion of its own`),
  ];
}

/** Queues that hold something, work or dead letters, once everything is settled and the area's own letters were taken. */
export async function queueTroubles({ world }: Rig): Promise<string[]> {
  const { QueueUrls = [] } = await world.cloud.call('sqs', 'ListQueues', {});
  const found: string[] = [];
  for (const QueueUrl of QueueUrls) {
    const { Attributes } = await world.cloud.call('sqs', 'GetQueueAttributes', {
      QueueUrl,
      AttributeNames: ['All'],
    });
    const { ApproximateNumberOfMessages: waiting, ApproximateNumberOfMessagesNotVisible: taken } = Attributes;
    if (Number(waiting) + Number(taken) > 0) found.push(`${QueueUrl} holds ${waiting} and lent ${taken}`);
  }
  return found;
}
