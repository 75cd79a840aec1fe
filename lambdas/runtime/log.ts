// What does a log line say about where it comes from?
import { Logger } from '@aws-lambda-powertools/logger';
import type { Env } from './need.ts';

/** Says something happened, with fields. Never pass tokens, secrets or whole payloads. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** On every line of one invocation. */
export interface LogContext {
  function: string;
  runId?: string;
  workflow?: string;
  state?: string;
  tenant?: string;
  correlationId?: string;
  requestId?: string;
}

let logger: Logger | undefined;

/** JSON lines with the context and the trace id. The logger is made on first use: importing a task reads no environment. */
export function openLog(env: Env, context: LogContext): Log {
  logger ??= new Logger({ serviceName: 'impresario' });
  const traceId = /Root=([^;]+)/.exec(env['_X_AMZN_TRACE_ID'] ?? '')?.[1];
  const shared = { ...context, ...(traceId === undefined ? {} : { traceId }) };
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      logger?.[level](message, { ...shared, ...fields });
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** For tests and tools that do not want lines. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
