// Does something that just happened to a change let another one start?
import * as z from 'zod';
import { defineTrigger } from '../runtime/define-trigger.ts';
import type { StreamRecord } from '../runtime/stream-record.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { dispatchNeed } from './dispatch.ts';
import { wakes } from './wake.ts';

export const { handler, trigger } = defineTrigger({
  name: 'WakeChanges',
  source: { kind: 'stream', table: 'changes' },
  needs: { dispatch: dispatchNeed, settings: settingsNeed },
  timeoutSeconds: 60,
  event: z.custom<StreamRecord>(),
  async run(record, { dispatch, settings, clock }) {
    const wake = wakes(record, clock.now());
    if (wake === undefined) return;
    const { tenant, accountId } = wake;
    const accounts =
      accountId === undefined ? (await settings.get(tenant)).adAccounts.map(({ id }) => id) : [accountId];
    for (const account of accounts) await dispatch(tenant, account);
  },
});
