// What does a rule say to its target, in whose name?
import type { Principal } from '../types.ts';
import { deliver, type DeliveryContext } from './delivery.ts';
import { busName, isoSeconds } from './entry.ts';
import type { BusEvent } from './events.ts';
import { inputFor } from './input.ts';
import type { Rule, Target } from './registry.ts';

const SERVICE = 'events.amazonaws.com';

/** In the role of the target or rule where the target takes one, otherwise as EventBridge; retries and dead letters as the target says. */
export function tell(context: DeliveryContext, event: BusEvent, through: Rule, target: Target): void {
  const assumed = target.RoleArn ?? through.roleArn;
  const itself: Principal = { kind: 'service', service: SERVICE, sourceArn: through.arn };
  const reached = target.Arn.split(':')[2];
  const byRole = assumed !== undefined && reached !== 'lambda' && reached !== 'sqs' && reached !== 'sns';
  const principal: Principal =
    assumed !== undefined && (byRole || target.RoleArn !== undefined)
      ? { kind: 'role', roleArn: assumed }
      : itself;
  const payload = inputFor(event, target, {
    ruleArn: through.arn,
    ruleName: through.name,
    ingestionTime: isoSeconds(context.clock.now()),
  });
  const forward = reached === 'events';
  deliver(context, {
    targetArn: target.Arn,
    principal,
    payload: () => payload,
    ...(target.SqsParameters === undefined ? {} : { sqs: target.SqsParameters }),
    ...(forward
      ? {
          send: () =>
            context.call({ principal }, 'events', 'ForwardEvent', {
              EventBusName: busName(target.Arn),
              event,
            }),
        }
      : {}),
    maximumRetries: target.RetryPolicy?.MaximumRetryAttempts ?? 185,
    maximumAgeSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400,
    deadLetterArn: target.DeadLetterConfig?.Arn,
    deadLetterPrincipal: itself,
    deadLetterBody: JSON.stringify(event),
    origin: { RULE_ARN: through.arn, TARGET_ARN: target.Arn },
  });
}
