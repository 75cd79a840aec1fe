// Where do the facts for the summary of a run come from?
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../../lambdas/changes/change.ts';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import { DEFAULT_ACCOUNT } from '../sandbox/meta/accounts.ts';
import type { Screen } from './screen.ts';
import {
  accountSection,
  changesSection,
  filesSection,
  planSection,
  scenesSection,
  verdictsSection,
  type AccountObject,
  type Report,
} from './summary.ts';
import type { World } from './world.ts';

/** Of the laptop's account and region. */
export const MEDIA_BUCKET = 'impresario-dev-media-000000000000-us-east-1';

const KINDS = [
  ['campaign', 'campaign'],
  ['adset', 'ad set'],
  ['advideo', 'video'],
  ['adcreative', 'creative'],
  ['ad', 'ad'],
] as const;

/** Prints everything a finished run made; renditions are copied to where a player finds them. */
export async function showOutcome(
  world: World,
  screen: Screen,
  run: { id: string; tenant: string; output: unknown; rendersDir: string },
): Promise<void> {
  const { reportKey } = run.output as { reportKey: string };
  const { Body } = (await world.cloud.call('s3', 'GetObject', { Bucket: MEDIA_BUCKET, Key: reportKey })) as {
    Body: Buffer;
  };
  const report = JSON.parse(Body.toString('utf8')) as Report;
  const { paint } = screen;
  const files = copyRenditions(world, report, join(run.rendersDir, run.id));
  const changes = await waitingChanges(world, run.tenant, run.id);
  for (const line of [
    ...scenesSection(report, paint),
    ...planSection(report, paint),
    ...verdictsSection(report, paint),
    ...filesSection(files, paint),
    ...accountSection(DEFAULT_ACCOUNT.id, accountObjects(world), paint),
    ...changesSection(changes, paint),
  ]) {
    screen.line(line);
  }
}

/** What a reviewer must see: scores, hooks and why they were asked. */
export async function showReview(
  world: World,
  screen: Screen,
  tenant: string,
  runId: string,
): Promise<string[]> {
  const review = await openCreatives(world.table('creatives')).review(tenant, runId);
  if (review === undefined) return [];
  for (const reason of review.reasons) screen.line(`    ${reason}`);
  for (const variation of review.plan.variations) {
    const verdict = review.verdicts.find(({ variationId }) => variationId === variation.id);
    const score = verdict?.score === null || verdict === undefined ? '–' : verdict.score.toFixed(1);
    screen.line(`    ${variation.id}  ${score.padStart(5)}  “${variation.hook.text}”`);
  }
  return review.plan.variations.map(({ id }) => id);
}

function copyRenditions(
  world: World,
  { rendered, plan }: Report,
  directory: string,
): Parameters<typeof filesSection>[0] {
  mkdirSync(directory, { recursive: true });
  return rendered.flatMap(({ variationId, renditions }) =>
    renditions.map(({ format, key, width, height, durationMs, sizeBytes, compliance }) => {
      const number = plan.variations.findIndex(({ id }) => id === variationId) + 1;
      const path = join(directory, `${number}-${variationId}-${format.replace(':', 'x')}.mp4`);
      copyFileSync(world.cloud.s3.pathOf(MEDIA_BUCKET, key), path);
      return {
        label: `${format} ${width}×${height}`,
        path,
        durationMs,
        sizeBytes,
        passed: compliance.passed,
      };
    }),
  );
}

function accountObjects(world: World): AccountObject[] {
  return KINDS.flatMap(([kind, label]) =>
    world.sandbox.meta.objects(DEFAULT_ACCOUNT.id, kind).map(({ id, fields }) => ({
      kind: label,
      id,
      name: text(fields['name'] ?? fields['title']),
      status: statusOf(fields['status']),
    })),
  );
}

/** A video's status is an object of its own: https://developers.facebook.com/docs/graph-api/reference/video */
function statusOf(status: unknown): string {
  if (typeof status !== 'object' || status === null) return text(status);
  return text((status as { video_status?: unknown }).video_status);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function waitingChanges(world: World, tenant: string, runId: string): Promise<Change[]> {
  const changes = openChanges(world.table('changes'));
  const waiting = [
    ...(await changes.inStatus(tenant, 'HELD')),
    ...(await changes.inStatus(tenant, 'PENDING')),
  ];
  const order = ['campaign', 'adset', 'ad'];
  return waiting
    .filter(({ origin }) => origin.id === runId)
    .toSorted((a, b) => order.indexOf(a.entity.kind) - order.indexOf(b.entity.kind));
}
