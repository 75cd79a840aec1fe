// How does a field of the definition, with expressions anywhere inside, become a value?
import type { Json } from '../types.ts';
import type { Expressions } from './expression.ts';
import { StateFailure } from './failure.ts';
import type { Bindings } from './fast-path.ts';

/** A compiled field. Gives the value, or a promise of it when JSONata had to run. Constants are shared: never change them. */
export type Template = (bindings: Bindings) => unknown;

/** The expression between `{%` and `%}`, or undefined for a plain string. */
export function expressionIn(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('{%') || !value.endsWith('%}')) return undefined;
  return value.slice(2, -2).trim();
}

/** Does the value hold an expression anywhere? */
export function isDynamic(value: Json): boolean {
  if (typeof value === 'string') return expressionIn(value) !== undefined;
  return value !== null && typeof value === 'object' && Object.values(value).some(isDynamic);
}

function failed(source: string, field: string, thrown: unknown): StateFailure {
  const { code, message } = thrown as { code?: string; message?: string };
  const detail = code === undefined ? String(message) : `${code}: ${message}`;
  return new StateFailure(
    'States.QueryEvaluationError',
    `The JSONata expression '${source}' specified for the field '${field}' threw an error during evaluation. ${detail}`,
    { location: field, cause: thrown },
  );
}

function compileExpression(source: string, field: string, expressions: Expressions): Template {
  const expression = expressions.compile(source);
  const present = (value: unknown) => {
    if (value !== undefined) return value;
    throw new StateFailure(
      'States.QueryEvaluationError',
      `The JSONata expression '${source}' specified for the field '${field}' returned nothing (undefined).`,
      { location: field },
    );
  };
  return (bindings) => {
    const value = expression.evaluate(bindings);
    if (!(value instanceof Promise)) return present(value);
    return value.then(present, (thrown: unknown) => {
      throw failed(source, field, thrown);
    });
  };
}

function compileMembers(
  keys: readonly string[],
  members: readonly Template[],
  make: () => Record<string, unknown> | unknown[],
): Template {
  return (bindings) => {
    const result = make() as Record<string, unknown>;
    const pending: Promise<void>[] = [];
    try {
      for (let i = 0; i < members.length; i += 1) {
        const key = keys[i]!;
        const value = members[i]!(bindings);
        result[key] = value;
        if (value instanceof Promise) pending.push(value.then((settled) => void (result[key] = settled)));
      }
    } catch (thrown) {
      // The first failure is the one reported; the others would only repeat it.
      void Promise.allSettled(pending);
      throw thrown;
    }
    return pending.length === 0 ? result : Promise.all(pending).then(() => result);
  };
}

/**
 * Compiles a value of the definition; `field` names it in error messages (`Arguments/order`).
 * @throws the JSONata parse error of a malformed expression.
 */
export function compileTemplate(value: Json, field: string, expressions: Expressions): Template {
  const source = expressionIn(value);
  if (source !== undefined) return compileExpression(source, field, expressions);
  if (!isDynamic(value)) return () => value as unknown;
  const keys = Object.keys(value as object);
  const members = keys.map((key) => compileTemplate(value[key], `${field}/${key}`, expressions));
  return compileMembers(keys, members, Array.isArray(value) ? () => [] : () => ({}));
}
