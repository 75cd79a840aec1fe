// Where does a change go whose execution went wrong?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { Conflict } from '../runtime/errors.ts';
import { changesNeed } from './changes.ts';
import { settle } from './ledger.ts';
import { ledgersNeed } from './ledgers.ts';
import { leasesNeed } from './leases.ts';
import { releaseOf } from './release.ts';
import { ChangeState } from './types.ts';

export const { handler, task } = defineTask({
  name: 'ReleaseChange',
  input: z.object({
    change: ChangeState,
    failure: z.looseObject({ Error: z.string(), Cause: z.string().optional() }),
  }),
  output: z.object({ released: z.boolean() }),
  needs: {
    leases: leasesNeed('finish'),
    changes: changesNeed(['GetItem']),
    ledgers: ledgersNeed('GetItem', 'PutItem'),
  },
  async run({ change, failure }, { leases, changes, ledgers, run, clock, log }) {
    // Its intent may have been recorded since it was claimed.
    const now = (await changes.get(run.tenant, change.id)) ?? change;
    const release = releaseOf(now, failure, clock.now());
    try {
      await leases.finish(now, change.lease, { ...release, actor: 'ReleaseChange' }, clock.now());
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      log.warn('the lease is somebody else’s by now', { changeId: change.id });
      return { released: false };
    }
    const after = await changes.get(run.tenant, change.id);
    // Nobody asked the platform for anything: what was reserved is free again, and nobody may ask under this lease any more.
    if (now.intent === undefined && after?.intent === undefined) {
      await ledgers.change(run.tenant, change.accountId, (ledger) => ({
        ledger: settle(ledger, change.id, change.lease, 'not-applied', { neverAsked: true }),
        answer: undefined,
      }));
    }
    return { released: true };
  },
});
