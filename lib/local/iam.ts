// May this principal do this to that, by the template's own roles and resource policies?
import { createHash } from 'node:crypto';
import { compilePolicy, matchingPairs } from './policy.ts';
import type { PatternPair, PrincipalMatch, Statement } from './policy.ts';
import type { AccessRequest, Json, Principal } from './types.ts';
import { ACCOUNT, AwsError } from './types.ts';

/** A grant that was needed: the role's pattern pair and the first request it allowed. */
export interface UsedGrant {
  roleArn: string;
  action: string;
  resource: string;
  statement: PatternPair;
}

/** One (action, resource) pattern pair of a role, and whether any request has needed it yet. */
export interface GrantedPair extends PatternPair {
  roleArn: string;
  policy: string;
  used: boolean;
}

interface Role {
  trust: Statement[];
  policies: Map<string, Statement[]>;
}

export interface Iam {
  /** Also replaces the trust policy of a role that exists. */
  putRole(roleArn: string, trustPolicy: Json): void;
  putRolePolicy(roleArn: string, name: string, document: Json): void;
  /** `resourceArn` is what the policy is attached to; the statements' own Resource patterns still decide. */
  putResourcePolicy(resourceArn: string, name: string, document: Json): void;
  /** Can the service act as the role (its trust policy allows sts:AssumeRole)? */
  assumableBy(roleArn: string, service: string): boolean;
  /** The access key id that stands for a role (`ASIA…`), the same on every start. */
  accessKey(roleArn: string): string;
  /** The secret of a role's access key id; undefined for any key that is no role's. */
  secretOf(accessKeyId: string): string | undefined;
  /** Who signs with this access key id; undefined for any key that is no role's. */
  roleOfKey(accessKeyId: string): string | undefined;
  /** @throws AwsError `AccessDenied…` naming principal, action and resource as AWS does. */
  authorize(principal: Principal, request: AccessRequest, sessionName?: string): void;
  usedGrants(): UsedGrant[];
  grantedPairs(): GrantedPair[];
}

/** Decisions remembered before the memory is emptied; object keys and execution names never end. */
const MAX_DECISIONS = 50_000;

/** Signs for every role: the key id says which, and nothing here is reachable from outside. */
export const ROLE_SECRET = 'local';

/** Services that answer AccessDenied without the suffix, and those that answer it with HTTP 403. */
const PLAIN_CODE = new Set(['s3']);
const FORBIDDEN_STATUS = new Set(['s3', 'lambda', 'scheduler', 'sqs']);

const roleName = (roleArn: string) => roleArn.slice(roleArn.lastIndexOf('/') + 1);

function conditionKeys(principal: Principal, request: AccessRequest): Record<string, string> {
  // Loopback stands for TLS here: nothing leaves the machine.
  const keys: Record<string, string> = { 'aws:securetransport': 'true' };
  if (principal.kind === 'role') {
    keys['aws:principalarn'] = principal.roleArn;
    keys['aws:principalaccount'] = ACCOUNT;
  } else if (principal.kind === 'service') {
    keys['aws:sourcearn'] = principal.sourceArn;
    keys['aws:sourceaccount'] = ACCOUNT;
  }
  for (const [name, value] of Object.entries(request.conditions ?? {})) keys[name.toLowerCase()] = value;
  return keys;
}

/**
 * Does a resource policy's principal name this caller? Naming the account only hands the decision to the role's own
 * policies, so it counts for a Deny and not for an Allow.
 */
function names(principals: PrincipalMatch, principal: Principal, effect: Statement['effect']): boolean {
  if (principals.everyone) return true;
  if (principal.kind === 'service') return principals.services.includes(principal.service);
  if (principal.kind !== 'role') return false;
  return principals.roleArns.includes(principal.roleArn) || (effect === 'Deny' && principals.account);
}

function denied(principal: Principal, request: AccessRequest, why: string, sessionName: string): AwsError {
  const service = request.action.slice(0, request.action.indexOf(':'));
  const who =
    principal.kind === 'role'
      ? `User: arn:aws:sts::${ACCOUNT}:assumed-role/${roleName(principal.roleArn)}/${sessionName}`
      : `Service: ${principal.kind === 'service' ? principal.service : 'unknown'}`;
  return new AwsError(
    PLAIN_CODE.has(service) ? 'AccessDenied' : 'AccessDeniedException',
    `${who} is not authorized to perform: ${request.action} on resource: ${request.resource} ${why}`,
    FORBIDDEN_STATUS.has(service) ? 403 : 400,
  );
}

/** Same-account evaluation: an explicit Deny wins, else an identity or a resource policy must allow. */
export function createIam(): Iam {
  const roles = new Map<string, Role>();
  const resourcePolicies = new Map<string, Map<string, Statement[]>>();
  const allowedBefore = new Set<string>();
  const used = new Map<string, UsedGrant>();
  const roleByKey = new Map<string, string>();

  const roleOf = (roleArn: string): Role => {
    const role = roles.get(roleArn);
    if (role === undefined) throw new AwsError('NoSuchEntity', `The role ${roleArn} cannot be found.`, 404);
    return role;
  };

  const policiesFor = (resource: string): Statement[] => {
    // A bucket's policy also speaks of its objects (`arn:aws:s3:::bucket/key`).
    const slash = resource.startsWith('arn:aws:s3:::') ? resource.indexOf('/') : -1;
    const owner = slash === -1 ? resource : resource.slice(0, slash);
    return [...(resourcePolicies.get(owner)?.values() ?? [])].flat();
  };

  const decide = (principal: Principal, request: AccessRequest, sessionName: string): void => {
    const keys = conditionKeys(principal, request);
    const identity = principal.kind === 'role' ? [...roleOf(principal.roleArn).policies.values()].flat() : [];
    const resource = policiesFor(request.resource);
    const speaking = (effect: Statement['effect']) =>
      resource.filter((statement) => names(statement.principals, principal, effect));

    if (matchingPairs(identity, 'Deny', request, keys).length > 0) {
      throw denied(principal, request, 'with an explicit deny in an identity-based policy', sessionName);
    }
    if (matchingPairs(speaking('Deny'), 'Deny', request, keys).length > 0) {
      throw denied(principal, request, 'with an explicit deny in a resource-based policy', sessionName);
    }
    const byIdentity = matchingPairs(identity, 'Allow', request, keys);
    for (const pair of byIdentity) {
      const roleArn = (principal as { roleArn: string }).roleArn;
      const id = [roleArn, request.action, pair.action, pair.resource].join('\n');
      if (!used.has(id)) {
        const { action, resource: target } = request;
        const statement = { action: pair.action, resource: pair.resource };
        used.set(id, { roleArn, action, resource: target, statement });
      }
    }
    if (byIdentity.length > 0 || matchingPairs(speaking('Allow'), 'Allow', request, keys).length > 0) return;
    const kind = principal.kind === 'role' ? 'identity' : 'resource';
    throw denied(
      principal,
      request,
      `because no ${kind}-based policy allows the ${request.action} action`,
      sessionName,
    );
  };

  return {
    putRole(roleArn, trustPolicy) {
      const policies = roles.get(roleArn)?.policies ?? new Map<string, Statement[]>();
      roles.set(roleArn, { trust: compilePolicy(trustPolicy, `trust policy of ${roleArn}`), policies });
    },
    putRolePolicy(roleArn, name, document) {
      roleOf(roleArn).policies.set(name, compilePolicy(document, `policy ${name} of ${roleArn}`));
      allowedBefore.clear();
    },
    putResourcePolicy(resourceArn, name, document) {
      const policies = resourcePolicies.get(resourceArn) ?? new Map<string, Statement[]>();
      policies.set(name, compilePolicy(document, `policy ${name} of ${resourceArn}`));
      resourcePolicies.set(resourceArn, policies);
      allowedBefore.clear();
    },
    assumableBy(roleArn, service) {
      const principal: Principal = { kind: 'service', service, sourceArn: '' };
      const request = { action: 'sts:AssumeRole', resource: roleArn };
      const speaking = roleOf(roleArn).trust.filter(({ principals }) =>
        names(principals, principal, 'Allow'),
      );
      // A trust policy's conditions (aws:SourceArn of the rule) name what is being created: not known yet.
      return speaking.some(
        ({ effect, pairs }) => effect === 'Allow' && pairs.some((p) => p.matches(request.action, roleArn)),
      );
    },
    accessKey(roleArn) {
      const key = `ASIA${createHash('sha256').update(roleArn).digest('hex').slice(0, 16).toUpperCase()}`;
      roleByKey.set(key, roleArn);
      return key;
    },
    secretOf: (accessKeyId) => (roleByKey.has(accessKeyId) ? ROLE_SECRET : undefined),
    roleOfKey: (accessKeyId) => roleByKey.get(accessKeyId),
    authorize(principal, request, sessionName = 'session') {
      if (principal.kind === 'administrator') return;
      const who =
        principal.kind === 'role' ? principal.roleArn : `${principal.service}\n${principal.sourceArn}`;
      const conditions = request.conditions === undefined ? '' : JSON.stringify(request.conditions);
      const id = `${who}\n${request.action}\n${request.resource}\n${conditions}`;
      if (allowedBefore.has(id)) return;
      decide(principal, request, sessionName);
      if (allowedBefore.size >= MAX_DECISIONS) allowedBefore.clear();
      allowedBefore.add(id);
    },
    usedGrants: () => [...used.values()],
    grantedPairs() {
      const usedPairs = new Set(
        [...used.values()].map(
          ({ roleArn, statement }) => `${roleArn}\n${statement.action}\n${statement.resource}`,
        ),
      );
      return [...roles].flatMap(([roleArn, role]) =>
        [...role.policies].flatMap(([policy, statements]) =>
          statements
            .filter(({ effect }) => effect === 'Allow')
            .flatMap(({ pairs }) => pairs)
            .map(({ action, resource }) => ({
              roleArn,
              policy,
              action,
              resource,
              used: usedPairs.has(`${roleArn}\n${action}\n${resource}`),
            })),
        ),
      );
    },
  };
}
