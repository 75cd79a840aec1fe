// How are functions created, found, configured anew and deleted?
import { AwsError, type CloudClock, type Json } from '../types.ts';
import {
  configurationOf,
  environmentOf,
  functionArn,
  functionName,
  toRecord,
  type FunctionRecord,
} from './registry.ts';
import { loadHandler } from './run.ts';
import { addPermission, putAsynchronousConfig } from './settings.ts';

export interface Functions {
  /** By name or ARN. @throws AwsError ResourceNotFoundException */
  record(reference: string): FunctionRecord;
  find(name: string): FunctionRecord | undefined;
  /** Loaded on first use, once. */
  handlerOf(found: FunctionRecord): ReturnType<typeof loadHandler>;
  setEndpoint(url: string): void;
  setEnvironment(overrides: Readonly<Record<string, string>>): void;
  /** What the API does with functions. */
  readonly operations: Record<string, (input: Json) => Json>;
}

/** @param instance tells the modules of this cloud from those of another in the same process */
export function createFunctions(clock: Pick<CloudClock, 'now'>, instance: string): Functions {
  const functions = new Map<string, FunctionRecord>();
  const handlers = new Map<string, ReturnType<typeof loadHandler>>();
  let endpointUrl: string | undefined;
  let overrides: Readonly<Record<string, string>> = {};

  function record(reference: string): FunctionRecord {
    const name = functionName(reference);
    const found = functions.get(name);
    if (found === undefined) {
      throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(name)}`, 404);
    }
    return found;
  }

  function refresh(found: FunctionRecord) {
    found.scope.env = environmentOf(found, endpointUrl, overrides);
  }

  function handlerOf(found: FunctionRecord): ReturnType<typeof loadHandler> {
    let loading = handlers.get(found.name);
    if (loading === undefined) {
      loading = loadHandler(found, instance);
      handlers.set(found.name, loading);
      loading.catch(() => handlers.delete(found.name));
    }
    return loading;
  }

  const operations: Functions['operations'] = {
    CreateFunction(input) {
      const created = toRecord(input, clock.now());
      if (functions.has(created.name)) {
        throw new AwsError('ResourceConflictException', `Function already exist: ${created.name}`, 409);
      }
      refresh(created);
      functions.set(created.name, created);
      return configurationOf(created);
    },
    DeleteFunction(input) {
      const found = record(input.FunctionName);
      functions.delete(found.name);
      handlers.delete(found.name);
      return {};
    },
    GetFunction: (input) => ({
      Configuration: configurationOf(record(input.FunctionName)),
      Code: { RepositoryType: 'local', Location: record(input.FunctionName).codeDir },
      Tags: {},
    }),
    GetFunctionConfiguration: (input) => configurationOf(record(input.FunctionName)),
    ListFunctions: () => ({ Functions: [...functions.values()].map(configurationOf) }),
    PutFunctionConcurrency(input) {
      record(input.FunctionName).reservedConcurrency = input.ReservedConcurrentExecutions;
      return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
    },
    PutFunctionEventInvokeConfig: (input) => putAsynchronousConfig(record(input.FunctionName), input),
    AddPermission: (input) => addPermission(record(input.FunctionName), input),
    GetPolicy(input) {
      const { policy, arn } = record(input.FunctionName);
      if (policy.length === 0)
        throw new AwsError('ResourceNotFoundException', `No policy is associated with ${arn}`, 404);
      return { Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: policy }) };
    },
  };

  return {
    record,
    find: (name) => functions.get(name),
    handlerOf,
    operations,
    setEndpoint(url) {
      endpointUrl = url;
      for (const found of functions.values()) refresh(found);
    },
    setEnvironment(values) {
      overrides = { ...values };
      for (const found of functions.values()) refresh(found);
    },
  };
}
