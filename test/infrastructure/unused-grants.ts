// Of what the stacks grant, what did nobody need and nobody explain, and which explanations explain nothing?
import { createCloud } from '../../lib/local/cloud.ts';
import { testAssembly } from '../support/assembly.ts';
import { idOf, type GrantedRight } from '../support/grant-use.ts';
import { excuses, type GrantReason } from './grant-reasons.ts';

export interface GrantFindings {
  /** Neither used nor excused, in order, each once. */
  unexplained: GrantedRight[];
  /** Reasons without a single granted right that is unused: there is none, or each was used. */
  stale: GrantReason[];
}

/** `used` holds `idOf` of rights. */
export function judgeGrants(
  granted: readonly GrantedRight[],
  used: ReadonlySet<string>,
  reasons: readonly GrantReason[],
): GrantFindings {
  const unused = [...new Map(granted.map((right) => [idOf(right), right]))]
    .filter(([id]) => !used.has(id))
    .map(([, right]) => right)
    .toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  return {
    unexplained: unused.filter((right) => !reasons.some((reason) => excuses(reason, right))),
    stale: reasons.filter((reason) => !unused.some((right) => excuses(reason, right))),
  };
}

/** Every right of every role, as deployed: ARNs are whole. */
export async function grantedRights(): Promise<GrantedRight[]> {
  const cloud = await createCloud({ time: 'virtual' });
  try {
    await cloud.deploy(testAssembly());
    return cloud.grantedPairs();
  } finally {
    await cloud.close();
  }
}
