// What does a target get to see of an event?
import { AwsError, type Json } from '../types.ts';

/** The three ways of EventBridge to shape a target's input; at most one is set. */
export interface InputShape {
  /** Constant JSON text. */
  Input?: string;
  InputPath?: string;
  InputTransformer?: { InputPathsMap?: Record<string, string>; InputTemplate: string };
}

/** Where the event comes from, for the predefined variables of a transformer. */
export interface InputContext {
  ruleArn: string;
  ruleName: string;
  ingestionTime: string;
}

const STEP = /\.([A-Za-z0-9_-]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]/y;

/** The steps of `$.detail.items[0]['a-b']`. @throws AwsError ValidationException */
function steps(path: string): (string | number)[] {
  const found: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (path.startsWith('$') && STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (match === null) break;
    found.push(match[4] === undefined ? (match[1] ?? match[2] ?? match[3] ?? '') : Number(match[4]));
    if (STEP.lastIndex === path.length) return found;
  }
  if (path === '$') return [];
  throw new AwsError('ValidationException', `Invalid InputPath ${path}`);
}

export function atPath(event: Json, path: string): Json {
  let value = event;
  for (const step of steps(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

function variable(name: string, event: Json, paths: Record<string, string>, context: InputContext): Json {
  switch (name) {
    case 'aws.events.rule-arn':
      return context.ruleArn;
    case 'aws.events.rule-name':
      return context.ruleName;
    case 'aws.events.event.ingestion-time':
      return context.ingestionTime;
    case 'aws.events.event.json':
      return event;
    case 'aws.events.event': {
      const { detail: _omitted, ...envelope } = event;
      return envelope;
    }
    default:
      return paths[name] === undefined ? undefined : atPath(event, paths[name]);
  }
}

/** Is the position inside a JSON string of the template? */
function insideString(template: string, position: number): boolean {
  let inside = false;
  for (let index = 0; index < position; index += 1) {
    if (template[index] === '\\') index += 1;
    else if (template[index] === '"') inside = !inside;
  }
  return inside;
}

function transformed(
  event: Json,
  transformer: NonNullable<InputShape['InputTransformer']>,
  context: InputContext,
): string {
  const { InputTemplate: template, InputPathsMap: paths = {} } = transformer;
  return template.replaceAll(/<([A-Za-z0-9_.-]+)>/g, (placeholder, name: string, position: number) => {
    if (!name.startsWith('aws.') && paths[name] === undefined) return placeholder;
    const value = variable(name, event, paths, context);
    if (insideString(template, position)) {
      const plain = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
      return JSON.stringify(plain).slice(1, -1);
    }
    return value === undefined ? '""' : JSON.stringify(value);
  });
}

/** @throws AwsError ValidationException for a shape EventBridge refuses */
export function checkShape(shape: InputShape): void {
  const given = [shape.Input, shape.InputPath, shape.InputTransformer].filter((part) => part !== undefined);
  if (given.length > 1) {
    throw new AwsError(
      'ValidationException',
      'Only one of Input, InputPath, or InputTransformer must be provided',
    );
  }
  if (shape.InputPath !== undefined) steps(shape.InputPath);
  for (const [name, path] of Object.entries(shape.InputTransformer?.InputPathsMap ?? {})) {
    if (name.toLowerCase().startsWith('aws')) {
      throw new AwsError('ValidationException', `InputPathsMap key ${name} is reserved`);
    }
    steps(path);
  }
}

/** The JSON text a target receives. */
export function inputFor(event: Json, shape: InputShape, context: InputContext): string {
  if (shape.Input !== undefined) return shape.Input;
  if (shape.InputPath !== undefined) return JSON.stringify(atPath(event, shape.InputPath) ?? {});
  if (shape.InputTransformer !== undefined) return transformed(event, shape.InputTransformer, context);
  return JSON.stringify(event);
}
