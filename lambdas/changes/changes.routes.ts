// What can a person ask about changes to live ads, and what can they order?
import * as z from 'zod';
import { adsReaderPort } from '../ports/ads/ads-reader-port.ts';
import { defineRoutes } from '../runtime/define-routes.ts';
import { notFound } from '../runtime/problem.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { tableNeed } from '../runtime/table.ts';
import { AccountLimits, limitsView } from './account-limits.ts';
import { buckets } from './buckets.ts';
import { Entity } from './change.ts';
import { ChangeView, viewOf } from './change-view.ts';
import { changesNeed } from './changes.ts';
import type { Decision } from './ruling.ts';
import { Decided, decideOne, decideOrigin, Said, SaidOfAll } from './decide-changes.ts';
import { unmetOf } from './dependencies.ts';
import { Timeline } from './entity-timeline.ts';
import { historyNeed } from './history.ts';
import { SwitchesView, SwitchOrder, switchesView, turn } from './kill-switch-orders.ts';
import { killSwitchesNeed } from './kill-switches.ts';
import { ledgersNeed } from './ledgers.ts';
import { limitsOf } from './limits.ts';
import { ChangeFilter, listChanges } from './list-changes.ts';
import { accountOf, ChangeId, freshId, NewChange, queueNew, QueuedChange, requestOf } from './new-change.ts';
import { rangeOf, readTimeline, TimelineQuery } from './read-timeline.ts';
import { WholeChange, wholeOf } from './show-change.ts';
import { MOST_UNDONE, refuseMore, undo, UndoView } from './undo.ts';
import { appliedOnly, UndoMany, UndoOne } from './undo-request.ts';
import { appliedWithin } from './undo-window.ts';
import { withdrawalsNeed } from './withdrawals.ts';

const ANYONE = ['viewer', 'operator', 'approver', 'admin'] as const;
const OPERATORS = ['operator', 'approver', 'admin'] as const;
const APPROVERS = ['approver', 'admin'] as const;
const ById = z.object({ id: ChangeId });

export const { handler, routes } = defineRoutes({
  name: 'ChangesApi',
  needs: {
    changes: changesNeed(['GetItem', 'Query', 'PutItem']),
    withdrawals: withdrawalsNeed,
    table: tableNeed('changes', ['Query']),
    switches: killSwitchesNeed('Query', 'PutItem', 'DeleteItem'),
    history: historyNeed('Query'),
    ledgers: ledgersNeed('GetItem'),
    audit: tableNeed('audit', ['PutItem']),
    settings: settingsNeed,
    ads: adsReaderPort,
  },
  routes: (route) => {
    const one = (decision: Exclude<Decision, 'approve' | 'reject'>, summary: string) =>
      route({
        method: 'POST',
        path: `/v1/changes/{id}/${decision}`,
        summary,
        access: OPERATORS,
        params: ById,
        body: Said,
        responses: { 200: ChangeView },
        idempotent: true,
        async run({ params: { id }, body, caller: { tenant, subject } }, { changes, withdrawals, clock }) {
          const order = { ...body, decision, actor: subject };
          const change = await decideOne(tenant, id, order, { changes, withdrawals, nowMs: clock.now() });
          return { status: 200, body: viewOf(change) };
        },
      });
    const all = (decision: 'approve' | 'reject', summary: string) =>
      route({
        method: 'POST',
        path: `/v1/changes/{id}/${decision}`,
        summary,
        access: APPROVERS,
        params: ById,
        body: SaidOfAll,
        responses: { 200: Decided },
        idempotent: true,
        async run({ params: { id }, body, caller: { tenant, subject } }, { changes, withdrawals, clock }) {
          const { scope, ...said } = body;
          const order = { ...said, decision, actor: subject };
          const context = { changes, withdrawals, nowMs: clock.now() };
          if (scope === 'origin')
            return { status: 200, body: await decideOrigin(tenant, id, order, context) };
          const change = await decideOne(tenant, id, order, context);
          return { status: 200, body: { changes: [viewOf(change)], left: [] } };
        },
      });
    return [
      route({
        method: 'POST',
        path: '/v1/changes',
        summary: 'Queue a change to a campaign, an ad set or an ad',
        access: OPERATORS,
        body: NewChange,
        responses: { 202: QueuedChange },
        idempotent: true,
        async run(request, { changes, settings, clock }) {
          const { body, caller } = request;
          const nowMs = clock.now();
          const account = accountOf((await settings.get(caller.tenant)).adAccounts, body.accountId);
          const asked = requestOf(body, { caller, account, originId: freshId(request, nowMs), nowMs });
          return { status: 202, body: await queueNew(caller, asked, changes, nowMs) };
        },
      }),
      route({
        method: 'GET',
        path: '/v1/changes',
        summary: 'Changes, newest first; with a status by when they are due, the latest first',
        access: ANYONE,
        query: ChangeFilter,
        responses: { 200: z.object({ changes: z.array(ChangeView), cursor: z.string().optional() }) },
        async run({ query, caller: { tenant } }, { table, settings }) {
          const accountId =
            query.accountId ??
            (query.entity === undefined
              ? undefined
              : accountOf((await settings.get(tenant)).adAccounts, undefined).id);
          const { changes, cursor } = await listChanges(table, tenant, { ...query, accountId });
          return { status: 200, body: { changes: changes.map(viewOf), cursor } };
        },
      }),
      route({
        method: 'GET',
        path: '/v1/changes/{id}',
        summary: 'One change: what was asked, everything that happened to it, what it waits for',
        access: ANYONE,
        params: ById,
        responses: { 200: WholeChange },
        async run({ params: { id }, caller: { tenant } }, { changes, history, switches, clock }) {
          const change = await changes.get(tenant, id);
          if (change === undefined) throw notFound(`change ${id}`);
          const [story, on, unmet] = await Promise.all([
            history.story(tenant, id),
            switches.on(tenant),
            unmetOf(change, (other) => changes.get(tenant, other)),
          ]);
          return { status: 200, body: wholeOf(change, { story, switches: on, unmet, nowMs: clock.now() }) };
        },
      }),
      all('approve', 'Approve a held change, or everything held of its origin'),
      all('reject', 'Reject a held change, or everything held of its origin'),
      one('cancel', 'Take a waiting change out of the queue'),
      one('hold', 'Keep a waiting change, and what else is automatic about its object, until it is released'),
      one('release', 'Let go what a person held'),
      route({
        method: 'POST',
        path: '/v1/changes/{id}/undo',
        summary: 'Take one applied change back',
        access: OPERATORS,
        params: ById,
        body: UndoOne,
        responses: { 200: UndoView.describe('A plan of which nothing was queued'), 202: UndoView },
        idempotent: true,
        async run(request, { changes, settings, ads, audit, clock }) {
          const { params, body, caller } = request;
          const nowMs = clock.now();
          const change = await changes.get(caller.tenant, params.id);
          if (change === undefined) throw notFound(`change ${params.id}`);
          const comment = body.comment ?? `Takes ${params.id} back.`;
          const order = { caller, preview: body.preview, comment, key: freshId(request, nowMs) };
          const chosen = await settings.get(caller.tenant);
          const context = { changes, ads, settings: chosen, audit: audit.name, nowMs };
          const answer = await undo([appliedOnly(change)], order, context);
          return { status: answer.queued ? 202 : 200, body: answer };
        },
      }),
      route({
        method: 'POST',
        path: '/v1/undo',
        summary: 'Take back what was applied in a time, of one origin or object if one is named',
        access: OPERATORS,
        body: UndoMany,
        responses: { 200: UndoView.describe('A plan of which nothing was queued'), 202: UndoView },
        idempotent: true,
        async run(request, { changes, table, settings, ads, audit, clock }) {
          const { body, caller } = request;
          const nowMs = clock.now();
          const chosen = await settings.get(caller.tenant);
          const { from, to, preview, accountId, entity, origin } = body;
          if (accountId !== undefined) accountOf(chosen.adAccounts, accountId);
          const window = { fromMs: from, toMs: to, accountId, entity, origin };
          const applied = await appliedWithin(table, caller.tenant, window, MOST_UNDONE);
          refuseMore(applied.length, 'changes');
          const span = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
          const comment = body.comment ?? `Takes back what was applied from ${span}.`;
          const order = { caller, preview, comment, key: freshId(request, nowMs) };
          const answer = await undo(applied, order, {
            changes,
            ads,
            settings: chosen,
            audit: audit.name,
            nowMs,
          });
          return { status: answer.queued ? 202 : 200, body: answer };
        },
      }),
      route({
        method: 'GET',
        path: '/v1/entities/{kind}/{id}/timeline',
        summary: 'What we, people and the platform did to one object; the last week unless told',
        access: ANYONE,
        params: Entity,
        query: TimelineQuery,
        responses: { 200: Timeline },
        async run({ params: entity, query, caller: { tenant } }, { settings, history, changes, ads, clock }) {
          const { adAccounts } = await settings.get(tenant);
          const account = adAccounts.find(
            ({ id }) => query.accountId === undefined || id === query.accountId,
          );
          if (account === undefined) throw notFound(`ad account ${query.accountId ?? ''}`.trim());
          const asked = { tenant, account, entity, ...rangeOf(query, clock.now()) };
          return { status: 200, body: await readTimeline(asked, { history, changes, ads }) };
        },
      }),
      route({
        method: 'GET',
        path: '/v1/kill-switch',
        summary: 'Switches that are on',
        access: ANYONE,
        responses: { 200: SwitchesView },
        async run({ caller: { tenant } }, { switches }) {
          return { status: 200, body: switchesView(await switches.on(tenant)) };
        },
      }),
      route({
        method: 'PUT',
        path: '/v1/kill-switch',
        summary: 'Stop everything, an account, a campaign or a rule; approvers let it go on',
        access: OPERATORS,
        body: SwitchOrder,
        responses: { 200: SwitchesView },
        async run({ body, caller }, { switches, changes, audit, settings, clock }) {
          const accountIds = (await settings.get(caller.tenant)).adAccounts.map(({ id }) => id);
          const context = { switches, changes, audit: audit.name, accountIds, nowMs: clock.now() };
          return { status: 200, body: switchesView(await turn(caller, body, context)) };
        },
      }),
      route({
        method: 'GET',
        path: '/v1/accounts/{id}/limits',
        summary: 'How much of its limits an ad account has used, and when they free',
        access: ANYONE,
        params: z.object({
          id: z.string().regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)'),
        }),
        responses: { 200: AccountLimits },
        async run({ params: { id }, caller: { tenant } }, { settings, ledgers, clock }) {
          const { adAccounts, changes: chosen } = await settings.get(tenant);
          const account = adAccounts.find((own) => own.id === id);
          if (account === undefined) throw notFound(`ad account ${id}`);
          const ledger = await ledgers.get(tenant, id);
          return { status: 200, body: limitsView(account, buckets(ledger, limitsOf(chosen), clock.now())) };
        },
      }),
    ];
  },
});
