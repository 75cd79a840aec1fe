// How does a person answer when an execution asks one?
import type { Screen } from './screen.ts';
import { showReview } from './outcome.ts';
import type { World } from './world.ts';

export interface Question {
  tenant: string;
  runId: string;
  stateName: string;
  /** What happens when nobody answers. */
  otherwise: string;
}

/** Says what is asked, of whom, and the exact command that answers. */
export async function tellQuestion(world: World, screen: Screen, question: Question): Promise<void> {
  const { tenant, runId, stateName } = question;
  screen.line();
  screen.line(screen.paint.warn(`  ${stateName}: a person must decide about run ${runId}.`));
  const ids = await showReview(world, screen, tenant, runId);
  const decisions = ids.map((variationId) => ({ variationId, approved: true }));
  screen.line(
    '  To answer, from another terminal in this folder (leave out or set to false what you reject):',
  );
  for (const line of answerCommand(world.cloud.apiUrl, tenant, runId, decisions)) screen.line(`    ${line}`);
  screen.line(`  ${question.otherwise}`);
}

/** Lines of one shell command. */
export function answerCommand(
  apiUrl: string,
  tenant: string,
  runId: string,
  decisions: readonly { variationId: string; approved: boolean }[],
): string[] {
  return [
    `curl -X POST ${apiUrl}/v1/creatives/${runId}/review \\`,
    `  -H "authorization: Bearer $(npm run --silent local -- token --tenant ${tenant} --role approver)" \\`,
    `  -H 'content-type: application/json' -d '${JSON.stringify({ decisions })}'`,
  ];
}
