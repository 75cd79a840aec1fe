// Which writes to the queue let a waiting change start?
import { describe, expect, it } from 'vitest';
import { CHANGE_STATUSES, type ChangeStatus } from '../../lambdas/changes/change.ts';
import { timeText } from '../../lambdas/changes/change-item.ts';
import { isOver } from '../../lambdas/changes/lifecycle.ts';
import { wakes } from '../../lambdas/changes/wake.ts';
import type { StreamRecord } from '../../lambdas/runtime/stream-record.ts';

const NOW = 1_000_000;
const image = (status: ChangeStatus, notBefore = NOW) => ({
  status,
  notBefore: timeText(notBefore),
  accountId: '10101',
});
const record = (given: Partial<StreamRecord>): StreamRecord => ({
  eventName: 'MODIFY',
  sequenceNumber: '1',
  expired: false,
  keys: { pk: 'demo#change', sk: 'chg-1' },
  ...given,
});
const ACCOUNT = { tenant: 'demo', accountId: '10101' };

describe('a change', () => {
  it.each(CHANGE_STATUSES)('that becomes %s', (status) => {
    const before = status === 'CLAIMED' ? 'PENDING' : 'CLAIMED';
    const wake = wakes(record({ oldImage: image(before), newImage: image(status) }), NOW);
    expect(wake).toEqual(status === 'PENDING' || isOver(status) ? ACCOUNT : undefined);
  });

  it.each([
    ['that is new and due', { eventName: 'INSERT', newImage: image('PENDING') }, true],
    ['that is new and held', { eventName: 'INSERT', newImage: image('HELD') }, false],
    ['that is due later', { eventName: 'INSERT', newImage: image('PENDING', NOW + 1) }, false],
    ['whose lease was named', { oldImage: image('PENDING'), newImage: image('PENDING') }, false],
    ['that was forgotten', { eventName: 'REMOVE', oldImage: image('COMPLETED') }, false],
  ] as [string, Partial<StreamRecord>, boolean][])('%s', (_, given, expected) => {
    expect(wakes(record(given), NOW)).toEqual(expected ? ACCOUNT : undefined);
  });
});

describe('a kill switch', () => {
  const of = (sk: string, eventName: StreamRecord['eventName']) =>
    wakes(record({ eventName, keys: { pk: 'demo#switch', sk } }), NOW);

  it('that is turned off wakes whom it held', () => {
    expect(of('account#10101', 'REMOVE')).toEqual(ACCOUNT);
    for (const sk of ['tenant', 'campaign#9', 'rule#r1'])
      expect(of(sk, 'REMOVE')).toEqual({ tenant: 'demo' });
  });

  it('that is turned on, or once more, wakes nobody', () => {
    expect(of('account#10101', 'INSERT')).toBeUndefined();
    expect(of('tenant', 'MODIFY')).toBeUndefined();
  });
});

it('anything else in the table wakes nobody', () => {
  const keys = { pk: 'demo#something', sk: 'x' };
  expect(wakes(record({ keys, newImage: image('PENDING') }), NOW)).toBeUndefined();
});
