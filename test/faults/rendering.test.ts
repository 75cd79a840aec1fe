// What becomes of a run whose variations cannot all be rendered?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../lib/local/types.ts';
import { MEDIA_BUCKET } from '../support/world.ts';
import { keysOf } from './reference.ts';
import { startRig, type Rig, type Subject } from './rig.ts';
import { troubles } from './verify.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

/** Ids of the reference run's variations, in order of their keys. */
function variations(): string[] {
  const ids = [...rig.known.objects.keys()].flatMap((key) => /^renders\/(v-\w+)\//.exec(key)?.[1] ?? []);
  return [...new Set(ids)];
}

/** Takes finished renders away; whoever asks for them or for room to make them again is refused. */
async function unrenderable(subject: Subject, ids: readonly string[]): Promise<{ remove(): void }[]> {
  for (const key of await keysOf(rig.world, subject.tenant)) {
    if (!ids.some((id) => key.startsWith(`renders/${id}/`))) continue;
    await rig.world.cloud.call('s3', 'DeleteObject', {
      Bucket: MEDIA_BUCKET,
      Key: `${subject.tenant}/${key}`,
    });
  }
  return ids.map((id) =>
    rig.break(subject, {
      function: 'render-',
      service: 's3',
      resource: `renders/${id}/`,
      when: 'before',
      effect: { kind: 'error', code: 'AccessDenied', status: 403 },
    }),
  );
}

async function published(subject: Subject): Promise<number> {
  return rig.world.sandbox.meta.objects(subject.account.id, 'ad').length;
}

describe('one variation of five that cannot be rendered', () => {
  it('is left out, lies on the dead-letter queue with its spec, and is announced', async () => {
    const [lost = ''] = variations();
    const subject = await rig.subject();
    await unrenderable(subject, [lost]);
    const announced = listenFor(rig, 'variation.render-failed');
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    expect(status).toBe('SUCCEEDED');
    expect(await published(subject)).toBe(4);
    expect(await troubles(rig, subject, 'published')).toEqual([]);
    const letters = await rig.take('creative-dead-letters');
    expect(letters).toMatchObject([
      {
        kind: 'variation',
        run: { id: subject.runId, tenant: subject.tenant },
        variation: { id: lost, hook: {} },
      },
    ]);
    expect(announced()).toMatchObject([{ runId: subject.runId, variationId: lost }]);
    rig.world.cloud.faults.clear();

    // Redriven alone: one more video, creative and ad; the others stay what they are.
    const before = rig.world.sandbox.meta.objects(subject.account.id, 'ad').map(({ id }) => id);
    const rendered = await modified(subject);
    await rig.redrive(subject);
    expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
    const after = rig.world.sandbox.meta.objects(subject.account.id, 'ad').map(({ id }) => id);
    expect(after).toHaveLength(5);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(await troubles(rig, subject, 'published')).toEqual([]);
    const now = await modified(subject);
    for (const [key, at] of rendered) expect(now.get(key), `${key} was rendered again`).toBe(at);
  }, 120_000);
});

describe('a variation whose loss nobody can be told of', () => {
  it('fails the run: it is not left out in silence', async () => {
    const [lost = ''] = variations();
    const subject = await rig.subject();
    await unrenderable(subject, [lost]);
    rig.break(subject, { function: 'report-render-failure', invocation: 'error', errorType: 'Refused' });
    await rig.start(subject);
    const { status, error } = await rig.ended(subject);
    expect([status, error]).toEqual(['FAILED', 'Refused']);
    expect(await published(subject)).toBe(0);
    rig.world.cloud.faults.clear();
    await rig.redrive(subject);
    expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
    expect(await published(subject)).toBe(5);
    await rig.take('creative-dead-letters');
  });
});

describe('three variations of five that cannot be rendered', () => {
  it('fail the run, and a redrive renders what is missing and publishes all', async () => {
    const ids = variations().slice(0, 3);
    const subject = await rig.subject();
    const faults = await unrenderable(subject, ids);
    await rig.start(subject);
    const { status, error } = await rig.ended(subject);
    expect([status, error]).toEqual(['FAILED', 'Unavailable']);
    expect(await troubles(rig, subject, 'nothing')).toEqual([]);
    const letters: Json[] = await rig.take('creative-dead-letters');
    expect(
      letters
        .filter(({ kind }) => kind === 'variation')
        .map(({ variation }) => String(variation.id))
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(ids);
    expect(letters.filter(({ kind }) => kind === 'run')).toHaveLength(1);
    for (const fault of faults) fault.remove();

    const before = await modified(subject);
    await rig.redrive(subject);
    expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
    expect(await published(subject)).toBe(5);
    expect(await troubles(rig, subject, 'published')).toEqual([]);
    const after = await modified(subject);
    for (const [key, at] of before) expect(after.get(key), `${key} was rendered again`).toBe(at);
    expect([...after.keys()].filter((key) => !before.has(key)).length).toBeGreaterThan(0);
  }, 120_000);
});

/** Finished renders → ETag and time of their last write. */
async function modified({ tenant }: Subject): Promise<Map<string, string>> {
  const keys = (await keysOf(rig.world, tenant)).filter((key) => key.startsWith('renders/'));
  const heads = await Promise.all(
    keys.map(async (key) => {
      const { ETag, LastModified } = await rig.world.cloud.call('s3', 'HeadObject', {
        Bucket: MEDIA_BUCKET,
        Key: `${tenant}/${key}`,
      });
      return [key, `${ETag} ${String(LastModified)}`] as const;
    }),
  );
  return new Map(heads);
}

/** Details of the events with this name that functions put on the bus from now on. */
function listenFor({ world }: Rig, name: string): () => Json[] {
  const BUS = 'impresario-dev';
  const from = world.cloud.events.sent(BUS).length;
  return () =>
    world.cloud.events
      .sent(BUS)
      .slice(from)
      .filter((event) => event['detail-type'] === name)
      .map(({ detail }) => detail);
}
