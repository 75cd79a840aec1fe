// Are the expressions of a state well formed, and do they read only what is there?
import type { Json } from '../types.ts';
import { astNodes, type Expressions } from './expression.ts';
import type { AstNode } from './fast-path.ts';
import { expressionIn } from './template.ts';

export type Report = (message: string, where: string) => void;

/** Which members of `$states` a field may read besides `input` and `context`. */
export type Readable = readonly ('result' | 'errorOutput')[];

const MEMBERS = ['input', 'context', 'result', 'errorOutput'];

function checkAst(ast: AstNode, readable: Readable, report: (message: string) => void): void {
  for (const node of astNodes(ast)) {
    if (node.type === 'variable' && node.value === 'eval')
      report('The function $eval is not supported; use $parse');
    const steps = node['steps'] as AstNode[] | undefined;
    if (node.type !== 'path' || steps?.[0]?.type !== 'variable' || steps[0].value !== 'states') continue;
    const member = steps[1]?.type === 'name' ? String(steps[1].value) : undefined;
    if (member === undefined) continue;
    if (!MEMBERS.includes(member)) report(`$states.${member} does not exist`);
    else if ((member === 'result' || member === 'errorOutput') && !readable.includes(member))
      report(`$states.${member} is not available here`);
  }
}

/** Checks every string inside a field's value. */
export function checkValue(
  value: Json,
  where: string,
  readable: Readable,
  expressions: Expressions,
  report: Report,
): void {
  if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      if (!Array.isArray(value) && key.endsWith('.$'))
        report(`The field '${key}' is JSONPath, which a JSONata state cannot use`, where);
      checkValue(item, `${where}/${key}`, readable, expressions, report);
    }
    return;
  }
  if (typeof value !== 'string') return;
  const unbound = /\$\{[^}]*\}/.exec(value);
  if (unbound !== null) report(`The placeholder ${unbound[0]} has no value`, where);
  const source = expressionIn(value);
  if (source === undefined) {
    if (value.trimStart().startsWith('{%') || value.trimEnd().endsWith('%}'))
      report("A JSONata expression must start with '{%' and end with '%}', with nothing around them", where);
    return;
  }
  try {
    checkAst(expressions.compile(source).ast, readable, (message) => report(message, where));
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    report(`Invalid JSONata expression '${source}': ${code ?? ''} ${message ?? ''}`, where);
  }
}
