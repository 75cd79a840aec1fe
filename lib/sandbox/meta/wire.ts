// What did a Graph request say, whichever encoding it came in?
import type { SandboxRequest } from '../vendor.ts';
import { invalidParameter } from './errors.ts';

/** Parameters of one request: nested values are parsed from their JSON text, files are buffers. */
export type Params = Readonly<Record<string, unknown>>;

/** Query, then urlencoded, multipart or JSON body; the body wins. */
export async function readParams(request: SandboxRequest): Promise<Params> {
  const params: Record<string, unknown> = {};
  for (const [name, value] of request.query) params[name] = decode(value);
  const contentType = request.headers['content-type'] ?? '';
  if (request.body.length === 0) return params;
  if (contentType.startsWith('application/json')) {
    Object.assign(params, JSON.parse(request.body.toString('utf8')) as object);
  } else if (contentType.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(request.body), {
      headers: { 'content-type': contentType },
    }).formData();
    for (const [name, value] of form) {
      params[name] = typeof value === 'string' ? decode(value) : Buffer.from(await value.arrayBuffer());
    }
  } else {
    for (const [name, value] of new URLSearchParams(request.body.toString('utf8')))
      params[name] = decode(value);
  }
  return params;
}

/** Graph reads lists and objects from JSON text and leaves every scalar a string. */
function decode(raw: string): unknown {
  if (!/^\s*[[{]/.test(raw)) return raw;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    return raw;
  }
}

/** Scalars as their text, absent and empty ones and everything else as undefined. */
export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function requiredText(params: Params, name: string): string {
  const value = text(params, name);
  if (value === undefined) throw invalidParameter(`The parameter ${name} is required.`);
  return value;
}

/** A positive whole number in the currency's smallest unit as Meta counts it. */
export function budget(params: Params, name: string): number | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) === 0)
    throw invalidParameter(`${name} must be a positive integer.`);
  return Number(value);
}

export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** `2026-11-20T12:00:00+0000`, whole seconds, as Graph writes times. */
export function graphTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+0000`;
}

/** `execution_options=["validate_only"]`: check everything and change nothing. */
export function isValidation(params: Params): boolean {
  const options = params['execution_options'];
  return Array.isArray(options) && options.includes('validate_only');
}
