// Which permissions did nothing need that ran in this world?
import type { World } from '../../lib/laptop/world.ts';

export interface UnusedGrant {
  roleArn: string;
  action: string;
  resource: string;
}

/** Granted (role, action, resource) pairs that no request has needed so far, in order; the same pair of two policies once. */
export function unusedGrants(world: Pick<World, 'cloud'>): UnusedGrant[] {
  const pairs = world.cloud.grantedPairs();
  const idOf = ({ roleArn, action, resource }: UnusedGrant): string => `${roleArn}\n${action}\n${resource}`;
  const used = new Set(pairs.filter((pair) => pair.used).map(idOf));
  const unused = new Map(
    pairs
      .filter((pair) => !used.has(idOf(pair)))
      .map(({ roleArn, action, resource }) => [
        idOf({ roleArn, action, resource }),
        { roleArn, action, resource },
      ]),
  );
  return [...unused.values()].toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}
