// In which ways can a step go wrong?
import type { RunFault } from './rig.ts';

export interface FaultKind {
  name: string;
  /** What the state machine sees, for its retriers. */
  error: string;
  of(functionName: string): RunFault;
}

const NAMED = ['InvalidInput', 'Refused', 'RateLimited', 'Unavailable', 'Conflict'] as const;

const thrown = (name: string, error: string): FaultKind => ({
  name,
  error,
  of: (functionName) => ({ function: functionName, invocation: 'error', errorType: error }),
});

/** Of a whole invocation: our five names, a bug, and the ways a function ends without an answer. */
export const INVOCATION_KINDS: readonly FaultKind[] = [
  ...NAMED.map((error) => thrown(error, error)),
  thrown('a bug', 'TypeError'),
  {
    name: 'a timeout',
    error: 'Sandbox.Timedout',
    of: (functionName) => ({ function: functionName, invocation: 'timeout' }),
  },
  {
    name: 'a throttle',
    error: 'Lambda.TooManyRequestsException',
    of: (functionName) => ({ function: functionName, invocation: 'throttle' }),
  },
  ...(['before', 'after'] as const).map((when) => ({
    name: `a kill ${when} the handler`,
    error: 'Runtime.ExitError',
    of: (functionName: string): RunFault => ({ function: functionName, invocation: 'kill', when }),
  })),
];

/** Of the n-th request that a function sends. */
export const CALL_KINDS: readonly { name: string; of(functionName: string, callIndex: number): RunFault }[] =
  [
    {
      name: 'a lost reply',
      of: (functionName, callIndex) => ({
        function: functionName,
        callIndex,
        when: 'after',
        effect: { kind: 'lost-reply' },
      }),
    },
    ...(['before', 'after'] as const).map((when) => ({
      name: `a kill ${when} it`,
      of: (functionName: string, callIndex: number): RunFault => ({
        function: functionName,
        callIndex,
        when,
        effect: { kind: 'kill' },
      }),
    })),
    {
      name: 'no answer',
      of: (functionName, callIndex) => ({
        function: functionName,
        callIndex,
        when: 'before',
        effect: { kind: 'timeout' },
      }),
    },
    {
      name: 'a throttle',
      of: (functionName, callIndex) => ({
        function: functionName,
        callIndex,
        when: 'before',
        effect: { kind: 'throttle' },
      }),
    },
    {
      name: 'an outage',
      of: (functionName, callIndex) => ({
        function: functionName,
        callIndex,
        when: 'before',
        effect: { kind: 'error', code: 'ServiceUnavailable', status: 503 },
      }),
    },
  ];
