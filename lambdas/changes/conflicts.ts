// Which of two changes of one object gives way?
import { slotOf, type Change } from './change.ts';

type Contender = Pick<
  Change,
  'id' | 'kind' | 'status' | 'createdAt' | 'intent' | 'after' | 'behind' | 'notBefore'
>;

const stops = ({ kind }: Contender): boolean => kind === 'PAUSE' || kind === 'ARCHIVE';
const starts = ({ kind }: Contender): boolean => kind === 'RESUME' || kind === 'ACTIVATE';

/**
 * The waiting change that this waiting one gives way to: stopping beats starting, otherwise the newer is what somebody wants now.
 * A change that follows another on purpose (`after`, `behind`) does not displace it. Pure.
 */
export function conflictOf<C extends Contender>(change: Contender, others: readonly C[]): C | undefined {
  if (change.intent !== undefined) return undefined;
  return others.find((other) => {
    if (other.id === change.id || slotOf(other.kind) !== slotOf(change.kind)) return false;
    if (other.status !== 'PENDING' && other.status !== 'HELD') return false;
    if ([...other.after, ...other.behind].includes(change.id)) return false;
    if ([...change.after, ...change.behind].includes(other.id)) return false;
    if (stops(change) && starts(other)) return false;
    if (starts(change) && stops(other)) return true;
    return isNewer(other, change);
  });
}

function isNewer(one: Contender, other: Contender): boolean {
  return one.createdAt === other.createdAt ? one.id > other.id : one.createdAt > other.createdAt;
}
