// Which route answers this method and path?

export interface RouteMatch<T> {
  routeKey: string;
  target: T;
  /** Decoded values of `{name}` and `{name+}`. */
  pathParameters: Record<string, string>;
}

interface CompiledRoute<T> {
  routeKey: string;
  method: string;
  segments: readonly string[];
  target: T;
}

const split = (path: string) => path.split('/').filter((segment) => segment !== '');
const isVariable = (segment: string) => segment.startsWith('{') && segment.endsWith('}');
const isGreedy = (segment: string) => segment.endsWith('+}');

/** Earlier wins: literal before variable before greedy, segment by segment; a named method before ANY. */
function moreSpecificFirst<T>(a: CompiledRoute<T>, b: CompiledRoute<T>): number {
  const rank = (segment: string | undefined) =>
    segment === undefined ? 3 : isGreedy(segment) ? 2 : isVariable(segment) ? 1 : 0;
  for (let i = 0; i < Math.max(a.segments.length, b.segments.length); i++) {
    const difference = rank(a.segments[i]) - rank(b.segments[i]);
    if (difference !== 0) return difference;
  }
  return Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

function matchPath(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const values: Record<string, string> = {};
  for (const [i, segment] of pattern.entries()) {
    const actual = path[i];
    if (actual === undefined) return undefined;
    if (isGreedy(segment)) {
      values[segment.slice(1, -2)] = path.slice(i).join('/');
      return values;
    }
    if (isVariable(segment)) values[segment.slice(1, -1)] = actual;
    else if (segment !== actual) return undefined;
  }
  return pattern.length === path.length ? values : undefined;
}

/** Undefined for a path that is not valid percent encoding. */
function decodedSegments(path: string): string[] | undefined {
  try {
    return split(path).map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

/**
 * @param routes by route key: `GET /v1/executions/{id}`, `ANY /x/{proxy+}` or `$default`.
 */
export function routeTable<T>(
  routes: ReadonlyMap<string, T>,
): (method: string, path: string) => RouteMatch<T> | undefined {
  const compiled = [...routes]
    .filter(([routeKey]) => routeKey !== '$default')
    .map(([routeKey, target]): CompiledRoute<T> => {
      const [method = '', path = ''] = routeKey.split(' ');
      return { routeKey, method, segments: split(path), target };
    })
    .toSorted(moreSpecificFirst);
  const fallback = routes.get('$default');
  return (method, path) => {
    const segments = decodedSegments(path);
    for (const route of compiled) {
      if (segments === undefined || (route.method !== 'ANY' && route.method !== method)) continue;
      const pathParameters = matchPath(route.segments, segments);
      if (pathParameters !== undefined)
        return { routeKey: route.routeKey, target: route.target, pathParameters };
    }
    return fallback === undefined
      ? undefined
      : { routeKey: '$default', target: fallback, pathParameters: {} };
  };
}
