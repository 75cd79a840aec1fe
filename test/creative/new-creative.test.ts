// What does a new creative hand to its run, and for how long may its video be sent?
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { routes } from '../../lambdas/creative/creatives.routes.ts';
import { requestOf, uploadFor, type NewCreative } from '../../lambdas/creative/new-creative.ts';
import { BRIEF, SHA256 } from '../support/creative-run.ts';
import { useEntryRig } from '../support/entry-rig.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';

const rig = useEntryRig();
let output: OutputLines;
beforeEach(() => (output = captureOutput()));
afterEach(() => output.stop());

const VTT = 'WEBVTT\n\n00:00.000 --> 00:02.000\nWarm light that follows your day\n';
const LABELS = JSON.stringify({ labels: [{ startMs: 0, endMs: 2000, objects: ['Lamp'] }] });
const TERMS = { sizeBytes: 5, contentType: 'video/mp4', sha256: `${'a'.repeat(43)}=` };

describe('a new creative', () => {
  it('brings what the user knows of the video, stored before the run starts', async () => {
    const tenant = await rig.tenant();
    const event = {
      routeKey: 'POST /v1/creatives',
      body: JSON.stringify({
        source: { kind: 'known', sha256: SHA256 },
        brief: BRIEF,
        sidecars: { captions: VTT, labels: LABELS },
      }),
      requestContext: {
        authorizer: { jwt: { claims: { 'custom:tenant': tenant, role: 'operator', sub: 'pat' } } },
      },
    };
    const answer = await routes.answer(event, rig.open(routes.needs) as never);
    expect(answer.statusCode, answer.body).toBe(202);
    const { runId, status } = JSON.parse(answer.body) as { runId: string; status: string };
    expect(status).toBe('running');
    const { sidecars } = (await rig.runs.request(tenant, runId)) as {
      sidecars: { captionsKey: string; labelsKey: string };
    };
    expect((await rig.media.get(sidecars.captionsKey))?.toString()).toBe(VTT);
    expect((await rig.media.get(sidecars.labelsKey))?.toString()).toBe(LABELS);
    // The rule listens to `uploads/*/run-*`.
    expect(sidecars.captionsKey).not.toMatch(/\/run-/);
    expect(await rig.executions()).toContain(runId);
  });

  it("puts everything below the token's tenant", () => {
    const asked: NewCreative = {
      source: { kind: 'upload', ...TERMS },
      brief: { ...BRIEF },
      purpose: 'publish',
      adAccountId: undefined,
      sidecars: { captions: VTT },
    };
    expect(requestOf('acme', 'run-1', asked)).toMatchObject({
      source: { kind: 'upload', key: 'uploads/acme/run-1', announced: TERMS },
      sidecars: { captionsKey: 'uploads/acme/sidecar-run-1.vtt' },
    });
  });

  it('may be sent until an hour after it was asked for, also when the question is repeated', async () => {
    const startedMs = Date.UTC(2026, 0, 1);
    const run = {
      tenant: 'acme',
      runId: 'run-1',
      status: 'awaiting-upload',
      startedAt: new Date(startedMs).toISOString(),
    } as const;
    const source = { kind: 'upload', key: 'uploads/acme/run-1', announced: TERMS } as const;
    const upload = (minutes: number, status: 'awaiting-upload' | 'running' = 'awaiting-upload') =>
      uploadFor({ ...run, status }, source, rig.media, { now: () => startedMs + minutes * 60_000 });
    const first = await upload(0);
    expect(new URL(first?.url ?? '').searchParams.get('X-Amz-Expires')).toBe('3600');
    expect(first?.expiresAt).toBe('2026-01-01T01:00:00.000Z');
    const later = await upload(40);
    expect(new URL(later?.url ?? '').searchParams.get('X-Amz-Expires')).toBe('1200');
    expect(await upload(60)).toBeUndefined();
    expect(await upload(1, 'running')).toBeUndefined();
  });
});
