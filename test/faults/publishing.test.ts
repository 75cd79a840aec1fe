// Does the ad account end as it began, or with every object once, whatever Meta does to one call?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../lib/sandbox/switches.ts';
import { startRig, type Rig } from './rig.ts';
import { troubles } from './verify.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

/** Failures that a repeat of the step heals; the run must publish. */
const PASSING: readonly Failure[] = [
  'throttle',
  'server-error',
  'nonsense',
  'disconnect',
  'apply-and-lose-reply',
];
/** The vendor's no: the run must take back what it made. */
const FINAL: readonly Failure[] = ['refuse', 'permission', 'policy', 'expired-token'];

const CALLS: readonly {
  what: string;
  method: string;
  path: (accountId: string) => RegExp;
  after?: number;
}[] = [
  { what: 'reading the account', method: 'GET', path: (id) => new RegExp(`/act_${id}$`) },
  { what: 'creating the campaign', method: 'POST', path: (id) => new RegExp(`/act_${id}/campaigns$`) },
  { what: 'creating the ad set', method: 'POST', path: (id) => new RegExp(`/act_${id}/adsets$`) },
  { what: 'starting an upload', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`) },
  { what: 'sending bytes', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`), after: 1 },
  { what: 'finishing an upload', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`), after: 2 },
  { what: 'reading a video', method: 'GET', path: () => /^\/v\d+\.0\/\d+$/ },
  { what: 'creating a creative', method: 'POST', path: (id) => new RegExp(`/act_${id}/adcreatives$`) },
  { what: 'creating the third ad', method: 'POST', path: (id) => new RegExp(`/act_${id}/ads$`), after: 2 },
];

const CASES = CALLS.flatMap((call) => [...PASSING, ...FINAL].map((failure) => ({ ...call, failure })));
const rows = process.env['FAULTS'] === 'all' ? CASES : CASES.filter((_, index) => index % 5 === 0);

describe('one call of publishing', () => {
  it.each(rows)('$what: $failure', async ({ method, path, after = 0, failure }) => {
    const subject = await rig.subject();
    const { meta } = rig.world.sandbox;
    const before = meta.snapshot(subject.account.id);
    const broken = meta.fail({ match: { method, path: path(subject.account.id) }, with: failure, after });
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    await rig.take('creative-dead-letters');
    expect(broken.hits()).toBe(1);
    broken.off();
    expect(status).toBe(PASSING.includes(failure) ? 'SUCCEEDED' : 'FAILED');
    expect(await troubles(rig, subject, status === 'SUCCEEDED' ? 'published' : 'nothing')).toEqual([]);
    const isBefore = meta.snapshot(subject.account.id) === before;
    expect(isBefore).toBe(status === 'FAILED');
  });
});

describe('one call of publishing that is never answered', () => {
  const edges = ['advideos', 'campaigns', 'adsets', 'adcreatives', 'ads'];
  const never = edges.flatMap((edge) => (['before', 'after'] as const).map((when) => ({ edge, when })));

  it.each(never)('$edge: the time runs out $when it was applied', async ({ edge, when }) => {
    const subject = await rig.subject();
    const broken = rig.break(subject, {
      host: `act_${subject.account.id}/${edge}`,
      when,
      effect: { kind: 'timeout' },
      times: 1,
    });
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    expect(broken.hits).toBe(1);
    expect(status).toBe('SUCCEEDED');
    expect(await troubles(rig, subject, 'published')).toEqual([]);
  });
});

describe('undoing', () => {
  // The fourth deletion is an ad's; the ninth a creative's: then all ads are deleted and the undo begins again with them.
  const kinds = ['throttle', 'server-error', 'apply-and-lose-reply'] as const;
  it.each([3, 8].flatMap((after) => kinds.map((failure) => ({ after, failure }))))(
    'goes on after $after deletions when the next met $failure',
    async ({ after, failure }) => {
      const subject = await rig.subject();
      const { meta } = rig.world.sandbox;
      rig.break(subject, { function: 'queue-go-live', invocation: 'error', errorType: 'Refused' });
      meta.fail({ match: { method: 'DELETE' }, with: failure, after });
      await rig.start(subject);
      const { status } = await rig.ended(subject);
      await rig.take('creative-dead-letters');
      expect(status).toBe('FAILED');
      expect(await troubles(rig, subject, 'nothing')).toEqual([]);
    },
  );
});
