// What did a run make, told to a person?
import type { Change } from '../../lambdas/changes/change.ts';
import type {
  BattlePlan,
  CtrPrediction,
  Forecast,
  RankedScene,
  RenderedVariation,
  SceneFeatures,
  Verdict,
} from '../../lambdas/creative/types.ts';
import { duration, table, type Paint } from './screen.ts';

/** The run's report as RecordOutcome stores it, as far as it is shown. */
export interface Report {
  features: { list: SceneFeatures[] };
  ranked: { list: RankedScene[] };
  predictions: { list: CtrPrediction[] };
  plan: BattlePlan;
  forecasts: { list: Forecast[] };
  verdicts: { list: Verdict[] };
  rendered: RenderedVariation[];
}

export interface AccountObject {
  kind: string;
  id: string;
  name: string;
  status: string;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

const heading = (paint: Paint, text: string): string[] => ['', paint.bold(text)];
const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

export function scenesSection({ features, ranked, predictions }: Report, paint: Paint): string[] {
  const rankOf = new Map(ranked.list.map((scene) => [scene.sceneId, scene]));
  const ctrOf = new Map(predictions.list.map((prediction) => [prediction.subject, prediction]));
  const rows = features.list.map((scene) => {
    const rankedScene = rankOf.get(scene.id);
    const ctr = ctrOf.get(scene.id);
    const seen = [
      ...(scene.objects ?? []).map(({ name }) => name),
      ...(scene.texts ?? []).map((text) => `“${text}”`),
    ].join(', ');
    return [
      scene.id,
      `${seconds(scene.startMs)}–${seconds(scene.endMs)} s`,
      rankedScene === undefined ? '' : String(rankedScene.rank),
      rankedScene === undefined ? '' : rankedScene.score.toFixed(3),
      ctr === undefined ? '' : `${percent(ctr.probability)}${ctr.source === 'fallback' ? ' (fallback)' : ''}`,
      scene.motion.toFixed(2),
      scene.brightness.toFixed(2),
      scene.missing.length > 0 ? `missing: ${scene.missing.join(', ')}` : cut(seen, 44),
    ];
  });
  const columns = [
    { title: 'scene' },
    { title: 'time', right: true },
    { title: 'rank', right: true },
    { title: 'score', right: true },
    { title: 'CTR', right: true },
    { title: 'motion', right: true },
    { title: 'light', right: true },
    { title: 'seen' },
  ];
  return [
    ...heading(paint, `Scenes and scores (${features.list.length})`),
    ...indented(table(columns, rows)),
  ];
}

export function planSection({ plan }: Pick<Report, 'plan'>, paint: Paint): string[] {
  const by = plan.writtenBy === 'model' ? 'written by the model' : 'written by the default strategy';
  const lines = heading(paint, `Battle plan: ${plan.title} (${by})`);
  for (const [at, variation] of plan.variations.entries()) {
    const lengthMs = variation.shots.reduce((sum, shot) => sum + shot.endMs - shot.startMs, 0);
    const shots = variation.shots.map(({ sceneId, role }) => `${sceneId} ${role}`).join(' → ');
    lines.push(
      `  ${at + 1}. ${paint.bold(`“${variation.hook.text}”`)}  ${paint.dim(variation.id)}`,
      `     ${variation.hook.type}, ${variation.template}, ${variation.pace}, ${variation.grade}, captions ${variation.captionStyle}, ${seconds(lengthMs)} s`,
      `     shots ${shots}`,
      `     CTA   “${variation.callToAction.text}” (${variation.callToAction.type})`,
    );
  }
  return lines;
}

export function verdictsSection(
  { plan, verdicts, forecasts }: Pick<Report, 'plan' | 'verdicts' | 'forecasts'>,
  paint: Paint,
): string[] {
  const judges = ['creative', 'psychology', 'logic', 'ctr'] as const;
  const number = (id: string): string => String(plan.variations.findIndex((one) => one.id === id) + 1);
  const points = (score: number | null): string => (score === null ? '–' : score.toFixed(0));
  const rows = verdicts.list.map((verdict) => [
    number(verdict.variationId),
    verdict.score === null ? '–' : verdict.score.toFixed(1),
    verdict.approved ? 'approved' : 'rejected',
    ...judges.map((name) => points(verdict.judges.find(({ judge }) => judge === name)?.score ?? null)),
    String(verdict.rewrites),
  ]);
  const council = table(
    [
      { title: '#', right: true },
      { title: 'score', right: true },
      { title: 'verdict' },
      ...judges.map((title) => ({ title, right: true })),
      { title: 'rewrites', right: true },
    ],
    rows,
  );
  const oracle = table(
    [
      { title: '#', right: true },
      { title: 'score', right: true },
      { title: 'hook', right: true },
      { title: 'CTA', right: true },
      { title: 'engagement', right: true },
      { title: 'conversion', right: true },
      { title: 'ROAS (low–high)', right: true },
      { title: 'CTR', right: true },
    ],
    forecasts.list.map((forecast) => [
      number(forecast.variationId),
      forecast.score.toFixed(1),
      ...[forecast.hook, forecast.callToAction, forecast.engagement, forecast.conversion].map((value) =>
        value.toFixed(1),
      ),
      `${forecast.roas.expected.toFixed(2)} (${forecast.roas.low.toFixed(2)}–${forecast.roas.high.toFixed(2)})`,
      `${percent(forecast.ctr.probability)}${forecast.ctr.source === 'fallback' ? ' (fallback)' : ''}`,
    ]),
  );
  return [
    ...heading(paint, 'Council verdicts'),
    ...indented(council),
    ...heading(paint, 'Forecasts (Oracle)'),
    ...indented(oracle),
  ];
}

/** `files`: where each rendition lies on this machine. */
export function filesSection(
  files: readonly { label: string; path: string; durationMs: number; sizeBytes: number; passed: boolean }[],
  paint: Paint,
): string[] {
  const lines = heading(paint, `Rendered files (${files.length})`);
  for (const { label, path, durationMs, sizeBytes, passed } of files) {
    const facts = `${label}, ${duration(durationMs)}, ${(sizeBytes / 1_000_000).toFixed(1)} MB`;
    lines.push(
      `  ${path}`,
      `    ${paint.dim(facts)}${passed ? '' : paint.bad('  fails the compliance check')}`,
    );
  }
  return lines;
}

export function accountSection(accountId: string, objects: readonly AccountObject[], paint: Paint): string[] {
  const rows = objects.map(({ kind, id, status, name }) => [kind, id, status, cut(name, 60)]);
  const columns = [{ title: 'object' }, { title: 'id' }, { title: 'status' }, { title: 'name' }];
  return [...heading(paint, `Sandbox ad account act_${accountId}`), ...indented(table(columns, rows))];
}

export function changesSection(changes: readonly Change[], paint: Paint): string[] {
  const rows = changes.map(({ status, kind, entity, id, reason }) => [
    status,
    kind,
    `${entity.kind} ${entity.id}`,
    id,
    cut(reason.replace(/^Launch of “.*”: /, ''), 60),
  ]);
  const columns = [
    { title: 'status' },
    { title: 'change' },
    { title: 'of' },
    { title: 'id' },
    { title: 'why' },
  ];
  const held = changes.filter(({ status }) => status === 'HELD').length;
  return [
    ...heading(paint, `Go-live changes waiting (${changes.length}, ${held} held until a person approves)`),
    ...indented(table(columns, rows)),
  ];
}
