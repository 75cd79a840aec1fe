// What may a test do to the simulated ad accounts besides calling the API?
import type { Access, Denial } from './access.ts';
import type { KnownAccount } from './accounts.ts';
import { personActor, PLATFORM } from './activities.ts';
import type { Review } from './delivery.ts';
import type { Effect } from './effects.ts';
import type { ThrottleCode } from './errors.ts';
import type { LearningStatus } from './learning.ts';
import type { MutationLimits } from './limits.ts';
import { createSeeds, type Seeds } from './seeds.ts';
import { applyChanges, logLearning, type State } from './state.ts';
import type { GraphObject } from './store.ts';
import { planUpdate } from './updates.ts';
import type { CallMeter } from './usage.ts';

export interface PersonEdit {
  status?: 'ACTIVE' | 'PAUSED' | 'ARCHIVED' | 'DELETED';
  /** In Meta's units of the currency. */
  dailyBudget?: number;
  bid?: number;
  name?: string;
}

export interface Doors extends Seeds {
  /** Somebody in Ads Manager; `name` is Dana Rivera when absent. */
  readonly person: {
    /**
     * At once, logged with a human actor. It is no call and no mutation of the API; a change of an ad set's budget counts
     * towards that ad set's hourly changes, and is never refused for them. @throws Error when the value cannot be set.
     */
    edit(id: string, edit: PersonEdit, name?: string): void;
  };
  /** Every effect that happened, oldest first; forgotten only by `reset`. */
  effects(accountId: string): readonly Effect[];
  /** `null`: approved. Logged as the platform's doing. */
  setReview(id: string, review: Review): void;
  /** Of an ad set; `null` leaves the field out of every answer. */
  setLearning(id: string, status: LearningStatus | null): void;
  /** Refuses every call for a while (17 when no code is given); `false` ends it. */
  throttle(accountId: string, closing: { forMs: number; code?: ThrottleCode } | false): void;
  /** 190/463 on every call with it. */
  expireToken(token: string, isExpired?: boolean): void;
  /** Takes the permission away; `null` gives it back. */
  revokePermission(accountId: string, denial: Denial | null): void;
  /** 368 on every change of this object. */
  refuseByPolicy(id: string, isRefused?: boolean): void;
}

export function createDoors(state: State, access: Access, limits: MutationLimits, meter: CallMeter): Doors {
  const known = (id: string): { object: GraphObject; account: KnownAccount } => {
    const object = state.store.get(id);
    const account = state.accounts.get(object?.accountId ?? '');
    if (object === undefined || account === undefined) throw new Error(`The sandbox has no object ${id}.`);
    return { object, account };
  };
  return {
    ...createSeeds(state),
    person: {
      edit(id, edit, name = 'Dana Rivera') {
        const { object, account } = known(id);
        const params = {
          ...(edit.status === undefined ? {} : { status: edit.status }),
          ...(edit.dailyBudget === undefined ? {} : { daily_budget: edit.dailyBudget }),
          ...(edit.bid === undefined ? {} : { bid_amount: edit.bid }),
          ...(edit.name === undefined ? {} : { name: edit.name }),
        };
        const changes = planUpdate(object, params, account, state.store);
        if (object.kind === 'adset' && changes.some(({ field }) => field === 'daily_budget'))
          limits.countBudgetChange(object);
        applyChanges(state, object, changes, account, personActor(name));
      },
    },
    effects: (accountId) => state.effects.of(accountId),
    setReview(id, review) {
      const { object } = known(id);
      state.reviews.set(id, review);
      const word = review === null ? 'approved' : review === 'DISAPPROVED' ? 'declined' : undefined;
      if (word !== undefined && object.kind === 'ad')
        state.activities.add(object, state.now(), PLATFORM, `ad_review_${word}`, {});
    },
    setLearning(id, status) {
      const { object } = known(id);
      if (object.kind !== 'adset') throw new Error(`Only ad sets learn, and ${id} is a ${object.kind}.`);
      const before = state.learning.status(object);
      state.learning.set(object, status);
      if (status !== null && status !== before) logLearning(state, object);
    },
    throttle(accountId, closing) {
      if (closing === false) meter.open(accountId);
      else meter.close(accountId, state.now() + closing.forMs, closing.code ?? 17);
    },
    expireToken: (token, isExpired = true) => access.expire(token, isExpired),
    revokePermission: (accountId, denial) => access.deny(accountId, denial),
    refuseByPolicy: (id, isRefused = true) => access.refuse(id, isRefused),
  };
}
