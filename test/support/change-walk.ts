// How does a test take one execution of a change from step to step?
import type * as z from 'zod';
import { task as applyChange } from '../../lambdas/changes/apply-change.task.ts';
import type { Change, Mode } from '../../lambdas/changes/change.ts';
import { task as checkPolicy } from '../../lambdas/changes/check-policy.task.ts';
import { task as readLive } from '../../lambdas/changes/read-live.task.ts';
import { task as recordChange } from '../../lambdas/changes/record-change.task.ts';
import { task as reserveLimits } from '../../lambdas/changes/reserve-limits.task.ts';
import type { Reserved, Seen } from '../../lambdas/changes/types.ts';
import type { Value, Verdict } from '../../lambdas/changes/verdict.ts';
import { task as verifyChange } from '../../lambdas/changes/verify-change.task.ts';
import type { ChangeAccount } from './change-rig.ts';

/** One execution, step by step; each step goes on with what the one before left. */
export interface Walk {
  change: Change;
  seen: z.output<typeof Seen> | null;
  verdict: Verdict;
  mode: Mode;
  reserved: Reserved | null;
  after: Value | null;
  read(): Promise<Verdict>;
  policy(): Promise<Verdict>;
  reserve(): Promise<Verdict>;
  /** Does nothing when somebody said no before, as the state machine. */
  apply(): Promise<Verdict>;
  verify(): Promise<Value | null>;
  record(): Promise<{ outcome: string; changeId: string; reason: string }>;
  /** All of these. */
  all(): Promise<{ outcome: string; changeId: string; reason: string }>;
}

/** Nobody has done anything yet. */
export function walkOf(account: Pick<ChangeAccount, 'run'>, change: Change): Walk {
  const walk: Walk = {
    change,
    seen: null,
    verdict: { decision: 'block', code: 'unread', reason: 'Nobody has read the object yet.' },
    mode: change.mode,
    reserved: null,
    after: null,
    async read() {
      const { seen, verdict } = await account.run(readLive, change, { change });
      return Object.assign(walk, { seen, verdict }).verdict;
    },
    async policy() {
      const { seen, verdict } = walk;
      return Object.assign(walk, await account.run(checkPolicy, change, { change, seen, verdict })).verdict;
    },
    async reserve() {
      const { seen, verdict, mode } = walk;
      const reserved = await account.run(reserveLimits, change, { change, seen, verdict, mode });
      return Object.assign(walk, reserved).verdict;
    },
    async apply() {
      const { verdict, reserved, mode } = walk;
      const live = walk.seen?.live;
      if (verdict.decision !== 'apply' || live === undefined || live === null || reserved === null)
        return verdict;
      return Object.assign(
        walk,
        await account.run(applyChange, change, { change, live, verdict, reserved, mode }),
      ).verdict;
    },
    async verify() {
      const { verdict } = walk;
      return Object.assign(walk, await account.run(verifyChange, change, { change, verdict })).after;
    },
    record() {
      const { verdict, mode, seen, reserved, after } = walk;
      return account.run(recordChange, change, { change, verdict, mode, seen, reserved, after });
    },
    async all() {
      await walk.read();
      await walk.policy();
      await walk.reserve();
      await walk.apply();
      await walk.verify();
      return walk.record();
    },
  };
  return walk;
}
