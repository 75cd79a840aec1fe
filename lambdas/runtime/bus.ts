// How is something announced to whoever listens?
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { Unavailable } from './errors.ts';
import { EVENTS, type BusEvent } from './events.ts';
import { variable, type Need } from './need.ts';
import { parseAs } from './parse.ts';

/** PutEvents takes ten entries. */
const BATCH = 10;

export interface Bus {
  /**
   * Each event is checked against the catalogue before any is sent.
   * @throws InvalidInput for a detail of the wrong shape; Unavailable when EventBridge did not take one (a repeat may send others twice).
   */
  publish(events: readonly BusEvent[]): Promise<void>;
}

export const busNeed: Need<Bus> = {
  grants: [{ actions: ['events:PutEvents'], on: { kind: 'bus' } }],
  env: { BUS_NAME: { of: { kind: 'bus' }, attribute: 'name' } },
  open(env) {
    const client = sharedClient(
      env,
      'events',
      () => new EventBridgeClient(awsClientConfig(env, 'EVENTBRIDGE')),
    );
    const bus = variable(env, 'BUS_NAME');
    return {
      async publish(events) {
        const entries = events.map(({ name, detail }) => ({
          EventBusName: bus,
          Source: EVENTS[name].source,
          DetailType: name,
          Detail: JSON.stringify(parseAs(EVENTS[name].detail, detail, `The event ${name}`)),
        }));
        for (let i = 0; i < entries.length; i += BATCH) {
          const command = new PutEventsCommand({ Entries: entries.slice(i, i + BATCH) });
          const answer = await awsCall('PutEvents', () => client.send(command));
          const refused = (answer.Entries ?? []).filter((entry) => entry.ErrorCode !== undefined);
          if (refused.length > 0) {
            const codes = refused
              .map((entry) => `${entry.ErrorCode}: ${entry.ErrorMessage ?? ''}`)
              .join('; ');
            throw new Unavailable(
              `The bus did not take ${refused.length} of ${command.input.Entries?.length} events (${codes}).`,
            );
          }
        }
      },
    };
  },
};
