// Which variables may a state read, and which does it read that nobody assigned on some path?

type Fields = Record<string, unknown>;
export interface Scope {
  StartAt: string;
  States: Record<string, Fields>;
}

/** Bound by JSONata or Step Functions, not by Assign. */
const RESERVED = new Set(['states']);

/** Text of every `{% … %}` in a value, string literals blanked. */
export function expressionsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const text = /^\{%([^]*)%\}$/.exec(value)?.[1];
    return text === undefined ? [] : [text.replace(/'[^']*'|"[^"]*"/g, "''")];
  }
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(expressionsIn) : [];
}

/** Variables an expression takes from outside itself: neither functions nor its own `:=` and parameters. */
function variablesIn(expression: string): string[] {
  const own = new Set([
    ...[...expression.matchAll(/\$(\w+)\s*:=/g)].map(([, name = '']) => name),
    ...[...expression.matchAll(/function\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/\$(\w+)/g)].map(([, name = '']) => name),
    ),
  ]);
  return [...expression.matchAll(/\$(\w+)\b(?!\s*\()/g)]
    .map(([, name = '']) => name)
    .filter((name) => !own.has(name) && !RESERVED.has(name));
}

const assigned = (fields: unknown): string[] => Object.keys(((fields as Fields)['Assign'] as object) ?? {});
const listOf = (fields: Fields, name: string): Fields[] => (fields[name] as Fields[] | undefined) ?? [];

/** Ways on from a state: where to, and what is assigned on the way. */
export function exits(fields: Fields): { to: string; assigns: string[] }[] {
  const own = assigned(fields);
  const plain = ['Next', 'Default'].flatMap((name) =>
    typeof fields[name] === 'string' ? [{ to: fields[name], assigns: own }] : [],
  );
  const branches = [...listOf(fields, 'Choices'), ...listOf(fields, 'Catch')].map((rule) => ({
    to: rule['Next'] as string,
    assigns: assigned(rule),
  }));
  return [...plain, ...branches];
}

export function innerScopes(fields: Fields): Scope[] {
  return [fields['ItemProcessor'], ...listOf(fields, 'Branches')].filter(
    (inner): inner is Scope => inner !== undefined,
  );
}

/** `state: $name` for everything read that is not assigned on every path to it, inner scopes included. */
export function unassigned(scope: Scope, outer: ReadonlySet<string> = new Set()): string[] {
  const known = new Map<string, Set<string>>([[scope.StartAt, new Set(outer)]]);
  const waiting = [scope.StartAt];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const { to, assigns } of exits(scope.States[name] ?? {})) {
      const arriving = new Set([...(known.get(name) ?? []), ...assigns]);
      const before = known.get(to);
      const after =
        before === undefined ? arriving : new Set([...before].filter((variable) => arriving.has(variable)));
      if (before?.size === after.size) continue;
      known.set(to, after);
      waiting.push(to);
    }
  }
  return Object.entries(scope.States).flatMap(([name, fields]) => {
    const here = known.get(name) ?? new Set<string>();
    const { ItemProcessor: _, Branches: __, ...own } = fields;
    const missing = expressionsIn(own)
      .flatMap(variablesIn)
      .filter((variable) => !here.has(variable))
      .map((variable) => `${name}: $${variable}`);
    return [...missing, ...innerScopes(fields).flatMap((inner) => unassigned(inner, here))];
  });
}

/** `state: name` for every outer variable that an inner scope tries to assign. */
export function reassigned(scope: Scope, outer: ReadonlySet<string> = new Set()): string[] {
  const names = Object.values(scope.States).flatMap((fields) => [
    ...assigned(fields),
    ...exits(fields).flatMap(({ assigns }) => assigns),
  ]);
  const mine = Object.entries(scope.States).flatMap(([name, fields]) =>
    [...assigned(fields), ...exits(fields).flatMap(({ assigns }) => assigns)]
      .filter((variable) => outer.has(variable))
      .map((variable) => `${name}: ${variable}`),
  );
  const visible = new Set([...outer, ...names]);
  return [
    ...mine,
    ...Object.values(scope.States)
      .flatMap(innerScopes)
      .flatMap((inner) => reassigned(inner, visible)),
  ];
}
