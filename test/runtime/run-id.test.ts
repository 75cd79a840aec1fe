// Are run ids valid, unique and in the order of time?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RunId,
  TenantId,
  executionName,
  newRunId,
  parseExecutionArn,
  parseExecutionName,
  runIdTimeMs,
} from '../../lambdas/runtime/run-id.ts';

const times = fc.integer({ min: 0, max: 32 ** 9 });

describe('run ids', () => {
  it('are valid execution names that carry their time', () => {
    fc.assert(
      fc.property(times, (nowMs) => {
        const id = newRunId(nowMs);
        expect(RunId.parse(id)).toMatch(/^[0-9a-zA-Z-_]{1,80}$/);
        expect(runIdTimeMs(id)).toBe(nowMs);
      }),
    );
  });

  it('sort by time', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 1e9 }), (nowMs, laterMs) => {
        expect(newRunId(nowMs) < newRunId(nowMs + laterMs)).toBe(true);
      }),
    );
  });

  it('differ within one millisecond, and repeat with the same randomness', () => {
    expect(new Set(Array.from({ length: 2_000 }, () => newRunId(1))).size).toBe(2_000);
    expect(newRunId(1, () => 0.5)).toBe(newRunId(1, () => 0.5));
  });

  it('name executions by attempt, and are found again in the name', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 500 }), (nowMs, attempt) => {
        const runId = newRunId(nowMs);
        expect(parseExecutionName(executionName(runId, attempt))).toEqual({ runId, attempt });
      }),
    );
    expect(parseExecutionName('mine')).toBeUndefined();
  });

  it('are found in ARNs, also of the children of a Distributed Map', () => {
    const arn = 'arn:aws:states:us-east-1:000000000000:execution:impresario-dev-creative-generation';
    expect(parseExecutionArn(`${arn}:run-1`)).toEqual({
      workflow: 'creative-generation',
      execution: 'run-1',
    });
    expect(parseExecutionArn(`${arn}/Rules:0a1b`)).toEqual({
      workflow: 'creative-generation',
      execution: '0a1b',
    });
  });

  it('belong to tenants whose names cannot escape their keys', () => {
    expect(TenantId.safeParse('acme-2').success).toBe(true);
    for (const bad of ['uploads', 'models', '', 'a#b', 'a/b', 'A', '-a', 'platform', 'a'.repeat(49)])
      expect(TenantId.safeParse(bad).success).toBe(false);
  });
});
