// What can a person ask of the creative area, and what is answered at once?
import * as z from 'zod';
import { auditActions, chainMessage } from '../runtime/audit.ts';
import { bucketNeed } from '../runtime/bucket.ts';
import { sha256 } from '../runtime/canonical.ts';
import { defineRoutes } from '../runtime/define-routes.ts';
import { Conflict } from '../runtime/errors.ts';
import { notFound } from '../runtime/problem.ts';
import { queueNeed } from '../runtime/queue.ts';
import { newRunId, RunId } from '../runtime/run-id.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { stateMachineNeed } from '../runtime/state-machine.ts';
import { tableNeed } from '../runtime/table.ts';
import {
  Analysis,
  AnalyzeBody,
  analysed,
  analysisOf,
  analysisRequest,
  patienceNeed,
} from './analyze-video.ts';
import { CreativeView, FILE_URL_SECONDS, viewOf } from './creative-view.ts';
import { creativesNeed } from './creatives.ts';
import { ctrPort } from './ctr-port.ts';
import { answerCtr, CtrAnswer, CtrQuestion, CtrUnavailable } from './ctr-question.ts';
import { Accepted, NewCreative, requestOf, storeSidecars, uploadFor } from './new-creative.ts';
import { Report, reportKeyOf } from './report.ts';
import { decisionOf, ReviewBody, reviewOver, reviewRecord, ReviewView, reviewView } from './review-answer.ts';
import { CREATIVE_GENERATION, launchRun, openRun, runIdOf, startNeeds, startRun } from './start-run.ts';

const ANYONE = ['viewer', 'operator', 'approver', 'admin'] as const;
const OPERATORS = ['operator', 'admin'] as const;
const APPROVERS = ['approver', 'admin'] as const;
const ById = z.object({ id: RunId });

export const { handler, routes } = defineRoutes({
  name: 'CreativesApi',
  needs: {
    runs: startNeeds.runs,
    machine: stateMachineNeed(CREATIVE_GENERATION, 'start', 'token'),
    settings: settingsNeed,
    creatives: creativesNeed('GetItem', 'UpdateItem'),
    media: bucketNeed([
      { prefix: 'uploads/', access: 'write' },
      { prefix: 'analysis/', access: 'read' },
      // Presigned addresses carry this function's own rights.
      { prefix: 'renders/', access: 'readExisting' },
    ]),
    audit: tableNeed('audit', ['PutItem']),
    chain: queueNeed('audit-chain.fifo', 'send'),
    ctr: ctrPort,
    patience: patienceNeed,
  },
  routes: (route) => [
    route({
      method: 'POST',
      path: '/v1/creatives',
      summary: 'Make ads of a video',
      access: OPERATORS,
      body: NewCreative,
      responses: { 202: Accepted.describe('Begun, or waiting for the upload') },
      idempotent: true,
      async run({ body, caller, headers, correlationId }, { media, ...context }) {
        const { tenant, subject } = caller;
        const key = headers['idempotency-key'];
        // A request that died before it was remembered is continued by its repeat.
        const runId =
          key === undefined ? newRunId(context.clock.now()) : runIdOf('creative', tenant, subject, key, body);
        const request = requestOf(tenant, runId, body);
        const waits = request.source.kind === 'upload';
        const asked = { tenant, runId, request, startedBy: subject, correlationId };
        const run = await openRun(asked, waits ? 'awaiting-upload' : 'running', context);
        await storeSidecars(media, tenant, runId, body.sidecars);
        await launchRun(run, request, context.machine);
        const upload = await uploadFor(run, request.source, media, context.clock);
        return { status: 202, body: { runId, status: run.status, upload } };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/creatives/{id}',
      summary: 'What a run made',
      access: ANYONE,
      params: ById,
      responses: { 200: CreativeView },
      async run({ params: { id }, caller: { tenant } }, { runs, media }) {
        const run = await runs.get(tenant, id);
        if (run?.stateMachine !== CREATIVE_GENERATION) throw notFound(`creative ${id}`);
        const reportKey = reportKeyOf(run);
        const report = reportKey === undefined ? undefined : Report.parse(await media.getJson(reportKey));
        const sign = (key: string): Promise<string> => media.presignGet(key, FILE_URL_SECONDS);
        return { status: 200, body: await viewOf(run, report, sign) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/creatives/{id}/review',
      summary: 'What a person has to decide',
      access: ANYONE,
      params: ById,
      responses: { 200: ReviewView },
      async run({ params: { id }, caller: { tenant } }, { creatives, clock }) {
        const review = await creatives.review(tenant, id);
        if (review === undefined) throw notFound(`review of ${id}`);
        return { status: 200, body: reviewView(review, clock.now()) };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/creatives/{id}/review',
      summary: 'Approve or reject each variation',
      access: APPROVERS,
      params: ById,
      body: ReviewBody,
      responses: { 200: ReviewView },
      async run({ params: { id }, body, caller }, { creatives, runs, machine, audit, chain, clock }) {
        const { tenant, subject } = caller;
        const review = await creatives.review(tenant, id);
        if (review === undefined) throw notFound(`review of ${id}`);
        const decision = decisionOf(review.plan, body, subject);
        const over = reviewOver(review, await runs.get(tenant, id), decision, clock.now());
        if (over !== undefined) throw new Conflict(over);
        const record = reviewRecord(tenant, review, decision, clock.now());
        if (review.status === 'open')
          await creatives.answerReview(
            tenant,
            review,
            decision,
            clock.now(),
            auditActions(audit.name, record),
          );
        // An answer that was stored but never told is told by its repeat.
        await machine.taskSucceeded(review.token, { approved: decision.approved });
        const message = chainMessage(record);
        await chain.send(message, {
          groupId: tenant,
          deduplicationId: sha256(`${tenant}#${message.record}`),
        });
        await runs.setStatus(tenant, id, 'running', clock.now()).catch((error: unknown) => {
          // A rejected run may have ended by now.
          if (!(error instanceof Conflict)) throw error;
        });
        return { status: 200, body: reviewView({ ...review, status: 'answered', decision }, clock.now()) };
      },
    }),
    route({
      method: 'POST',
      path: '/api/titan/analyze-video',
      summary: 'Scenes, ranking, plan, forecast and verdicts of a video; publishes nothing',
      access: OPERATORS,
      body: AnalyzeBody,
      responses: { 200: Analysis, 202: Accepted.describe('Takes longer: ask for the run') },
      async run({ body, caller, headers, correlationId }, { media, patience, ...context }) {
        const { tenant, subject } = caller;
        const request = await analysisRequest(tenant, body, context.runs);
        const key = headers['idempotency-key'];
        const runId =
          key === undefined ? newRunId(context.clock.now()) : runIdOf('analysis', tenant, subject, key, body);
        const run = await startRun({ tenant, runId, request, startedBy: subject, correlationId }, context);
        const ended = await analysed(run, context.runs, patience);
        if (ended === undefined) return { status: 202, body: { runId, status: run.status } };
        const report = Report.parse(await media.getJson(reportKeyOf(ended) ?? ''));
        return { status: 200, body: analysisOf(runId, report) };
      },
    }),
    route({
      method: 'POST',
      path: '/api/ml/predict/ctr',
      summary: 'How likely is a click on each scene or variation?',
      access: ANYONE,
      body: CtrQuestion,
      responses: { 200: CtrAnswer, 503: CtrUnavailable.describe('The model cannot be reached') },
      async run({ body, caller, correlationId }, { ctr }) {
        const predictor = await ctr.for(caller.tenant);
        const answer = answerCtr(body, predictor);
        if (predictor.source === 'model') return { status: 200, body: answer };
        return {
          status: 503,
          headers: { 'content-type': 'application/problem+json' },
          body: {
            type: 'about:blank',
            title: 'Not available now',
            status: 503,
            detail:
              `The model cannot be reached, so these are fallback scores. ${predictor.reason ?? ''}`.trim(),
            correlationId,
            fallback: answer,
          },
        };
      },
    }),
  ],
});
