// Which states did an execution visit, and what became of each?

/** One visit of a state, as `--json` shows it. */
export interface StateVisit {
  name: string;
  /** SUCCEEDED; CAUGHT: failed, and a Catch took over; FAILED; ABORTED with the execution; RUNNING. */
  status: 'SUCCEEDED' | 'CAUGHT' | 'FAILED' | 'ABORTED' | 'RUNNING';
  /** ISO 8601, UTC. */
  startedAt: string;
  durationMs: number;
  /** Of a Task: how often it was tried. */
  attempts: number;
}

/** What this file reads of an event of GetExecutionHistory. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  /** Epoch seconds. */
  timestamp: number;
  type: string;
  stateEnteredEventDetails?: { name: string };
  stateExitedEventDetails?: { name: string };
}

const SCHEDULED = /^(Task|LambdaFunction|Activity)Scheduled$/;
const FAILED = /(Failed|TimedOut)$/;

interface Open extends StateVisit {
  startMs: number;
  failedLast: boolean;
  open: boolean;
}

/** Visits in the order the states were entered; every pass of a loop and every iteration of a Map is one. */
export function visitsOf(events: readonly HistoryEvent[]): StateVisit[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const visits = new Map<number, Open>();
  // The visit an event belongs to: the nearest state entered before it on its own line of events.
  const visitOf = (event: HistoryEvent, name?: string): Open | undefined => {
    for (let at = byId.get(event.previousEventId); at !== undefined; at = byId.get(at.previousEventId)) {
      const visit = visits.get(at.id);
      if (visit !== undefined && (name === undefined || visit.name === name)) return visit;
    }
    return undefined;
  };
  for (const event of events) {
    const atMs = Math.round(event.timestamp * 1000);
    if (event.stateEnteredEventDetails !== undefined) {
      visits.set(event.id, {
        name: event.stateEnteredEventDetails.name,
        status: 'RUNNING',
        startedAt: new Date(atMs).toISOString(),
        durationMs: 0,
        attempts: 0,
        startMs: atMs,
        failedLast: false,
        open: true,
      });
    } else if (event.stateExitedEventDetails !== undefined) {
      const visit = visitOf(event, event.stateExitedEventDetails.name);
      if (visit === undefined) continue;
      visit.open = false;
      visit.durationMs = atMs - visit.startMs;
      visit.status = visit.failedLast ? 'CAUGHT' : 'SUCCEEDED';
    } else if (SCHEDULED.test(event.type)) {
      const visit = visitOf(event);
      if (visit === undefined) continue;
      visit.attempts += 1;
      visit.failedLast = false;
    } else if (FAILED.test(event.type) && !event.type.startsWith('Execution')) {
      const visit = visitOf(event);
      if (visit !== undefined) visit.failedLast = true;
    }
  }
  const last = events.at(-1);
  const ending = endingOf(last?.type);
  const endMs = Math.round((last?.timestamp ?? 0) * 1000);
  return [...visits.values()].map(({ startMs, failedLast, open, ...visit }) => ({
    ...visit,
    attempts: Math.max(1, visit.attempts),
    ...(open
      ? { durationMs: endMs - startMs, status: ending === 'ABORTED' && failedLast ? 'FAILED' : ending }
      : {}),
  }));
}

function endingOf(lastType: string | undefined): StateVisit['status'] {
  if (lastType === 'ExecutionFailed') return 'FAILED';
  if (lastType === 'ExecutionAborted' || lastType === 'ExecutionTimedOut') return 'ABORTED';
  return 'RUNNING';
}

/** What a display needs to know of a state. */
export interface StateInfo {
  type: string;
  comment: string;
  /** Waits for somebody to send its task token back. */
  asksSomebody: boolean;
}

interface Asl {
  States: Record<
    string,
    {
      Type: string;
      Comment?: string;
      Resource?: string;
      Branches?: Asl[];
      ItemProcessor?: Asl;
      Iterator?: Asl;
    }
  >;
}

/** Every state of a definition, those inside Map and Parallel included, by name. */
export function statesOf(definition: string): Map<string, StateInfo> {
  const found = new Map<string, StateInfo>();
  const walk = ({ States }: Asl): void => {
    for (const [name, state] of Object.entries(States)) {
      found.set(name, {
        type: state.Type,
        comment: state.Comment ?? '',
        asksSomebody: state.Resource?.endsWith('.waitForTaskToken') ?? false,
      });
      for (const inner of [...(state.Branches ?? []), state.ItemProcessor, state.Iterator]) {
        if (inner !== undefined) walk(inner);
      }
    }
  };
  walk(JSON.parse(definition) as Asl);
  return found;
}
