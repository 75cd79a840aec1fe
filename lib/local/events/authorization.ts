// Which permissions does an EventBridge call need?
import type { AccessRequest, Json } from '../types.ts';
import { busArn, busName } from './entry.ts';
import { ruleArn } from './registry.ts';

export function eventsAuthorization(operation: string, input: Json): AccessRequest[] {
  const action = `events:${operation}`;
  switch (operation) {
    case 'PutEvents':
      return (input.Entries ?? []).map((entry: Json) => ({
        action,
        resource: busArn(busName(entry.EventBusName)),
        conditions: {
          'events:source': String(entry.Source ?? ''),
          'events:detail-type': String(entry.DetailType ?? ''),
        },
      }));
    case 'ForwardEvent':
      return [{ action: 'events:PutEvents', resource: busArn(busName(input.EventBusName)) }];
    case 'CreateEventBus':
    case 'DescribeEventBus':
      return [{ action, resource: busArn(busName(input.Name)) }];
    case 'ListEventBuses':
    case 'ListRules':
    case 'TestEventPattern':
      return [{ action, resource: '*' }];
    default:
      return [{ action, resource: ruleArn(busName(input.EventBusName), String(input.Rule ?? input.Name)) }];
  }
}
