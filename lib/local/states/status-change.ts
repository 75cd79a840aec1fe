// What does EventBridge hear when an execution changes its status?
import type { Execution } from './run.ts';

/** Bytes of input and output together that an event carries; above, they are left out (Step Functions quota, 248 KiB). */
const CARRIED_BYTES = 253_952;

/** The PutEvents entry of `Step Functions Execution Status Change`, in AWS's shape. */
export function statusChangeEntry(execution: Execution, nowMs: number): Record<string, unknown> {
  const { inputJson, outputJson } = execution;
  const fits = Buffer.byteLength(JSON.stringify(inputJson + (outputJson ?? ''))) <= CARRIED_BYTES;
  const detail = {
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachineArn,
    name: execution.name,
    status: execution.status,
    startDate: execution.startMs,
    stopDate: execution.stopMs ?? null,
    input: fits ? inputJson : null,
    inputDetails: { included: fits },
    output: fits ? (outputJson ?? null) : null,
    outputDetails: outputJson === undefined ? null : { included: fits },
    redriveCount: execution.redriveCount,
    redriveDate: execution.redriveMs ?? null,
    error: execution.error ?? null,
    cause: execution.cause ?? null,
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
  };
  return {
    Source: 'aws.states',
    DetailType: 'Step Functions Execution Status Change',
    Detail: JSON.stringify(detail),
    Resources: [execution.arn],
    Time: nowMs / 1000,
  };
}
