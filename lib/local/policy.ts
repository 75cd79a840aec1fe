// Which statements does a policy document make, and does one of them match a request?
import type { AccessRequest, Json } from './types.ts';
import { ACCOUNT } from './types.ts';

/** One action pattern with one resource pattern, as it stands in the policy. */
export interface PatternPair {
  action: string;
  resource: string;
}

/** Who a resource policy speaks of. `everyone` is `"*"`; `account` is the account's root. */
export interface PrincipalMatch {
  everyone: boolean;
  account: boolean;
  roleArns: readonly string[];
  services: readonly string[];
}

export interface Statement {
  effect: 'Allow' | 'Deny';
  principals: PrincipalMatch;
  pairs: readonly (PatternPair & { matches: (action: string, resource: string) => boolean })[];
  conditionsHold: (keys: Readonly<Record<string, string>>) => boolean;
}

/** Keys that a request carries (lib/local/iam.ts `conditionKeys`) or that an engine supplies. */
const KNOWN_KEYS = new Set([
  'aws:securetransport',
  'aws:sourcearn',
  'aws:sourceaccount',
  'aws:principalarn',
  'aws:principalaccount',
  'events:source',
  'events:detail-type',
  's3:prefix',
]);

/** Wildcards of IAM: `*` any run of characters, `?` exactly one. */
export function wildcard(pattern: string, ignoreCase = false): (value: string) => boolean {
  const wanted = ignoreCase ? pattern.toLowerCase() : pattern;
  const fold = ignoreCase ? (value: string) => value.toLowerCase() : (value: string) => value;
  const star = wanted.indexOf('*');
  if (!wanted.includes('?')) {
    if (star === -1) return (value) => fold(value) === wanted;
    if (star === wanted.length - 1) {
      const prefix = wanted.slice(0, -1);
      return (value) => fold(value).startsWith(prefix);
    }
  }
  const escaped = wanted.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
  return (value) => expression.test(fold(value));
}

const list = (value: Json): string[] => (value === undefined ? [] : [value].flat().map(String));

const OPERATORS: Readonly<Record<string, (expected: string) => (actual: string) => boolean>> = {
  StringEquals: (expected) => (actual) => actual === expected,
  StringLike: (expected) => wildcard(expected),
  ArnEquals: (expected) => wildcard(expected),
  ArnLike: (expected) => wildcard(expected),
  Bool: (expected) => (actual) => actual === expected,
};

function compileConditions(condition: Json, where: string): Statement['conditionsHold'] {
  const tests: { key: string; values: ((actual: string) => boolean)[] }[] = [];
  for (const [operator, entries] of Object.entries((condition ?? {}) as Record<string, Json>)) {
    const compile = OPERATORS[operator];
    if (compile === undefined) throw new Error(`${where}: condition operator ${operator} is not supported`);
    for (const [name, expected] of Object.entries(entries as Record<string, Json>)) {
      const key = name.toLowerCase();
      if (!KNOWN_KEYS.has(key)) throw new Error(`${where}: condition key ${name} is not supported`);
      tests.push({ key, values: list(expected).map((value) => compile(value)) });
    }
  }
  if (tests.length === 0) return () => true;
  return (keys) =>
    tests.every(({ key, values }) => {
      const actual = keys[key];
      return actual !== undefined && values.some((matches) => matches(actual));
    });
}

function compilePrincipals(principal: Json, where: string): PrincipalMatch {
  if (principal === undefined) return { everyone: false, account: false, roleArns: [], services: [] };
  if (principal === '*') return { everyone: true, account: false, roleArns: [], services: [] };
  const unknown = Object.keys(principal).find((kind) => kind !== 'AWS' && kind !== 'Service');
  if (unknown !== undefined) throw new Error(`${where}: principal kind ${unknown} is not supported`);
  const accounts = list(principal.AWS);
  const root = `arn:aws:iam::${ACCOUNT}:root`;
  return {
    everyone: accounts.includes('*'),
    account: accounts.includes(root) || accounts.includes(ACCOUNT),
    roleArns: accounts.filter((arn) => arn !== '*' && arn !== root && arn !== ACCOUNT),
    services: list(principal.Service),
  };
}

/**
 * Compiles a policy document.
 * @throws Error naming `where` for what is not supported (NotAction, NotResource, NotPrincipal, other condition
 *   operators or keys, policy variables): a policy that is not understood must not be deployed as if it were.
 */
export function compilePolicy(document: Json, where: string): Statement[] {
  return [document.Statement].flat().map((statement: Json): Statement => {
    for (const member of ['NotAction', 'NotResource', 'NotPrincipal']) {
      if (statement[member] !== undefined) throw new Error(`${where}: ${member} is not supported`);
    }
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') {
      throw new Error(`${where}: a statement's Effect must be Allow or Deny`);
    }
    const actions = list(statement.Action);
    // A trust policy has no Resource: it speaks of the role it belongs to.
    const resources = statement.Resource === undefined ? ['*'] : list(statement.Resource);
    const variable = resources.find((resource) => resource.includes('${'));
    if (variable !== undefined) throw new Error(`${where}: policy variables are not supported (${variable})`);
    // KMS is never asked here (grants only), so the keys its conditions use need no meaning.
    const kmsOnly = actions.every((action) => action.toLowerCase().startsWith('kms:'));
    return {
      effect: statement.Effect,
      principals: compilePrincipals(statement.Principal, where),
      pairs: actions.flatMap((action) => {
        const actionMatches = wildcard(action, true);
        return resources.map((resource) => {
          const resourceMatches = wildcard(resource);
          return {
            action,
            resource,
            matches: (a: string, r: string) => actionMatches(a) && resourceMatches(r),
          };
        });
      }),
      conditionsHold: kmsOnly ? () => false : compileConditions(statement.Condition, where),
    };
  });
}

/** Pairs of the statements with this effect that match the request. */
export function matchingPairs(
  statements: readonly Statement[],
  effect: Statement['effect'],
  request: AccessRequest,
  keys: Readonly<Record<string, string>>,
): PatternPair[] {
  const found: PatternPair[] = [];
  for (const statement of statements) {
    if (statement.effect !== effect) continue;
    const pairs = statement.pairs.filter((pair) => pair.matches(request.action, request.resource));
    if (pairs.length > 0 && statement.conditionsHold(keys)) found.push(...pairs);
  }
  return found;
}
