// How does an ASL file become a state machine with exactly the rights its states need?
import { RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { statesOf, taskTarget } from './asl.ts';
import type { Machine } from './discover.ts';
import { stageName } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';

export interface WorkflowProps {
  platform: PlatformStack;
  machine: Machine;
  /** Task name → function. */
  functions: ReadonlyMap<string, LambdaFunction>;
}

/** @throws Error naming the state whose placeholder has no task file or number. */
export function workflow(scope: Construct, { platform, machine, functions }: WorkflowProps): StateMachine {
  const stack = Stack.of(scope);
  const states = statesOf(machine.definition);
  const invoked = new Set(states.flatMap((state) => taskTarget(state) ?? []));
  const role = new Role(scope, `${machine.name}-role`, {
    assumedBy: new ServicePrincipal('states.amazonaws.com'),
    inlinePolicies: {
      States: new PolicyDocument({
        statements: [
          new PolicyStatement({
            effect: Effect.ALLOW,
            actions: ['lambda:InvokeFunction'],
            resources: [...invoked].map((name) => functionOf(functions, machine, name).functionArn),
          }),
        ],
      }),
    },
  });
  acknowledge(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'Log delivery and X-Ray have no resource-level permissions.',
  );
  return new StateMachine(stack, machine.name, {
    stateMachineName: stageName(platform, machine.name),
    definitionBody: DefinitionBody.fromString(machine.definition),
    definitionSubstitutions: substitutions(platform, machine, functions),
    role,
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, `${machine.name}-logs`, {
        logGroupName: `/aws/vendedlogs/states/${stageName(platform, machine.name)}`,
        retention: platform.config.logRetentionDays as number,
        removalPolicy: platform.config.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      }),
      level: LogLevel.ALL,
      includeExecutionData: false,
    },
  });
}

function substitutions(
  platform: PlatformStack,
  machine: Machine,
  functions: ReadonlyMap<string, LambdaFunction>,
): Record<string, string> {
  const names = new Set([...machine.definition.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name));
  return Object.fromEntries(
    [...names].map((name) => {
      const number = platform.config.workflows[name];
      return [name, number === undefined ? functionOf(functions, machine, name).functionArn : String(number)];
    }),
  );
}

function functionOf(
  functions: ReadonlyMap<string, LambdaFunction>,
  machine: Machine,
  name: string,
): LambdaFunction {
  const found = functions.get(name);
  if (!found) {
    throw new Error(
      `${machine.name}: \${${name}} is neither a task (no lambdas/*/*.task.ts of that name in this area) nor a number in lib/aws/stages.ts.`,
    );
  }
  return found;
}
