// What does one area bring into the account?
import { Stack, type StackProps } from 'aws-cdk-lib/core';
import { HttpMethod, HttpNoneAuthorizer, HttpRoute, HttpRouteKey } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Code, Function as LambdaFunction, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { FunctionSpec, RoutesSpec } from '../../lambdas/runtime/specs.ts';
import { acknowledge } from './acknowledge.ts';
import { functionTimeoutSeconds, statesOf, taskTarget } from './asl.ts';
import type { Found, Tree } from './discover.ts';
import { ffmpegLayer } from './ffmpeg-layer.ts';
import { stageName } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';
import { deadLetterQueue, deadLetterQueuesOf } from './queues.ts';
import { taskFunction } from './task-function.ts';
import { connectTrigger } from './triggers.ts';
import { workflow } from './workflow.ts';

export interface AreaProps extends StackProps {
  platform: PlatformStack;
  /** `creative`, or `runtime` for what serves all areas. */
  area: string;
  tree: Tree;
  codes: ReadonlyMap<string, Code>;
}

/** Functions, state machines, triggers, routes and dead letters of one folder of lambdas/. */
export class AreaStack extends Stack {
  readonly area: string;
  readonly deadLetters: Queue;
  readonly machines: readonly StateMachine[];
  readonly #platform: PlatformStack;
  readonly #codes: ReadonlyMap<string, Code>;
  #ffmpeg: LayerVersion | undefined;
  #scheduleGroup: string | undefined;

  constructor(scope: Construct, id: string, { platform, area, tree, codes, ...props }: AreaProps) {
    super(scope, id, props);
    this.area = area;
    this.#platform = platform;
    this.#codes = codes;
    this.deadLetters = deadLetterQueue(this, platform, area);
    const mine = <S>(found: readonly Found<S>[]): Found<S>[] => found.filter((one) => one.area === area);
    const timeouts = taskTimeouts(tree);
    const tasks = new Map(
      mine(tree.tasks).map((found) => [found.spec.name, this.#function(found, timeoutOf(timeouts, found))]),
    );
    this.machines = tree.machines
      .filter(({ definition }) => statesOf(definition).some((state) => tasks.has(taskTarget(state) ?? '')))
      .map((machine) => workflow(this, { platform, machine, functions: tasks }));
    for (const found of mine(tree.triggers)) {
      const handler = this.#function(found, found.spec.timeoutSeconds);
      connectTrigger(this, { platform, spec: found.spec, handler, scheduleGroup: () => this.#group() });
    }
    for (const found of mine(tree.routes)) this.#mount(found);
  }

  get deadLetterQueues(): Queue[] {
    return deadLetterQueuesOf(this);
  }

  #function(found: Found<FunctionSpec>, timeoutSeconds: number): LambdaFunction {
    const code = this.#codes.get(found.entry);
    if (!code) throw new Error(`No bundle for ${found.file}.`);
    return taskFunction(this, {
      platform: this.#platform,
      entry: found.entry,
      spec: found.spec,
      code,
      timeoutSeconds,
      layers: { ffmpeg: () => (this.#ffmpeg ??= ffmpegLayer(this)) },
    });
  }

  #group(): string {
    this.#scheduleGroup ??= new ScheduleGroup(this, 'Schedules', {
      scheduleGroupName: stageName(this.#platform, this.area),
    }).scheduleGroupName;
    return this.#scheduleGroup;
  }

  #mount(found: Found<RoutesSpec>): void {
    const handler = this.#function(found, found.spec.timeoutSeconds);
    const integration = new HttpLambdaIntegration(found.spec.name, handler, {
      scopePermissionToRoute: false,
    });
    for (const { method, path, access } of found.spec.routes) {
      const route = new HttpRoute(this, `${method} ${path}`, {
        httpApi: this.#platform.api,
        routeKey: HttpRouteKey.with(path, HttpMethod[method]),
        integration,
        authorizer: access === 'public' ? new HttpNoneAuthorizer() : this.#platform.authorizer,
      });
      if (access === 'public')
        acknowledge(route, 'AwsSolutions-APIG4', 'Holds no tenant data or checks a signature itself.');
    }
  }
}

function taskTimeouts(tree: Tree): Map<string, number> {
  const timeouts = new Map<string, number>();
  for (const { definition } of tree.machines) {
    for (const state of statesOf(definition)) {
      const name = taskTarget(state);
      if (name) timeouts.set(name, Math.max(functionTimeoutSeconds(state), timeouts.get(name) ?? 0));
    }
  }
  return timeouts;
}

function timeoutOf(timeouts: Map<string, number>, found: Found<FunctionSpec>): number {
  const timeout = timeouts.get(found.spec.name);
  if (timeout === undefined) throw new Error(`${found.file}: no state invokes ${found.spec.name}.`);
  return timeout;
}
