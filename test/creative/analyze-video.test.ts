// What does the analysis answer while it runs, when it is done, and when it cannot be done?
import { beforeEach, describe, expect, it, afterEach } from 'vitest';
import { routes } from '../../lambdas/creative/creatives.routes.ts';
import { BRIEF, creativeRun, SHA256 } from '../support/creative-run.ts';
import { useEntryRig } from '../support/entry-rig.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';

const rig = useEntryRig();
let output: OutputLines;
let waitedMs = 0;
/** What happens while the request waits. */
let meanwhile: (waitedMs: number) => Promise<void> = async () => undefined;
beforeEach(() => {
  output = captureOutput();
  waitedMs = 0;
  meanwhile = async () => undefined;
});
afterEach(() => output.stop());

async function analyze(tenant: string, body: unknown, headers: Record<string, string> = {}) {
  const patience = {
    async wait(ms: number) {
      waitedMs += ms;
      await meanwhile(waitedMs);
    },
  };
  const event = {
    routeKey: 'POST /api/titan/analyze-video',
    headers,
    body: JSON.stringify(body),
    requestContext: {
      authorizer: { jwt: { claims: { 'custom:tenant': tenant, role: 'operator', sub: 'pat' } } },
    },
  };
  const answer = await routes.answer(event, { ...rig.open(routes.needs), patience } as never);
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
}

const known = { videoId: SHA256, brief: BRIEF };
const newest = async (tenant: string) => (await rig.runs.list(tenant, { limit: 1 })).runs[0]?.runId ?? '';

async function finish(tenant: string, runId: string): Promise<void> {
  const reportKey = `${tenant}/analysis/${SHA256}/report-${runId}.json`;
  await rig.media.putJson(reportKey, {
    ...creativeRun(tenant),
    predictions: { list: [] },
    verdicts: { list: [] },
    rendered: [],
    published: null,
    goLive: null,
  });
  const nowMs = rig.plane.clock.now();
  await rig.runs.close(tenant, runId, { status: 'succeeded', output: { reportKey }, nowMs });
}

describe('an analysis', () => {
  it('that takes longer than a request may is answered with the run id before 25 seconds are over', async () => {
    const tenant = await rig.tenant();
    const answer = await analyze(tenant, known);
    expect(answer).toEqual({ status: 202, body: { runId: await newest(tenant), status: 'running' } });
    expect(waitedMs).toBeGreaterThan(20_000);
    expect(waitedMs).toBeLessThan(25_000);
    expect(await rig.runs.request(tenant, await newest(tenant))).toMatchObject({
      purpose: 'analyze',
      source: { kind: 'known', sha256: SHA256 },
    });
    expect(await rig.executions()).toContain(await newest(tenant));
  });

  it('is answered in the same request when it is done in time, and needs no ad account', async () => {
    const tenant = await rig.tenant({ adAccounts: [] });
    meanwhile = async (ms) => {
      if (ms === 2_000) await finish(tenant, await newest(tenant));
    };
    const answer = await analyze(tenant, known);
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body)).toEqual(
      expect.arrayContaining(['scenes', 'ranking', 'plan', 'forecast', 'verdicts']),
    );
    expect(waitedMs).toBe(2_000);
  });

  it('asked for again under the same key is the same run', async () => {
    const tenant = await rig.tenant();
    const key = { 'idempotency-key': 'again' };
    const first = await analyze(tenant, known, key);
    await finish(tenant, String(first.body['runId']));
    const second = await analyze(tenant, known, key);
    expect(second).toMatchObject({ status: 200, body: { runId: first.body['runId'] } });
  });

  it('of an earlier run looks at its video, with its brief unless told another', async () => {
    const tenant = await rig.tenant();
    const first = await analyze(tenant, known);
    const runId = String(first.body['runId']);
    await finish(tenant, runId);
    rig.plane.clock.advance(1000);
    await analyze(tenant, { videoId: runId });
    expect(await rig.runs.request(tenant, await newest(tenant))).toMatchObject({
      source: { kind: 'known', sha256: SHA256 },
      brief: { product: BRIEF.product },
    });
    expect((await analyze('stranger', { videoId: runId })).status).toBe(404);
  });

  it('that failed says why: 422 for the video, 503 for us', async () => {
    const tenant = await rig.tenant();
    const ending = (name: string, cause: string) => async () => {
      const nowMs = rig.plane.clock.now();
      await rig.runs.close(tenant, await newest(tenant), { status: 'failed', error: { name, cause }, nowMs });
    };
    meanwhile = ending('InvalidInput', 'The file is not a video.');
    expect(await analyze(tenant, known)).toMatchObject({
      status: 422,
      body: { detail: 'The file is not a video.' },
    });
    rig.plane.clock.advance(1000);
    meanwhile = ending('States.Timeout', 'Too slow.');
    expect((await analyze(tenant, known)).status).toBe(503);
  });

  it.each([
    [{ videoId: SHA256 }, 'brief'],
    [{ brief: BRIEF }, 'videoId'],
    [{ ...known, source: { kind: 'drive', fileId: 'file' } }, 'videoId'],
    [{ videoId: 'x', brief: BRIEF }, 'videoId'],
  ])('of %j is refused', async (body, path) => {
    expect(await analyze('someone', body)).toMatchObject({ status: 400, body: { path } });
  });
});
