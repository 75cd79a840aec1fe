// What has my organisation chosen, and how is that changed?
import * as z from 'zod';
import { Brief } from '../creative/types.ts';
import { busNeed } from './bus.ts';
import { sha256 } from './canonical.ts';
import { defineRoutes } from './define-routes.ts';
import { InvalidInput, isTaskError } from './errors.ts';
import { queueNeed } from './queue.ts';
import { Settings } from './settings-schema.ts';
import { settingsWriterNeed } from './settings-writer.ts';
import type { VersionedSettings } from './settings.ts';

const View = z.object({
  settings: Settings,
  version: z.number().int().describe('0 while nothing was ever saved'),
  changedAt: z.string(),
  changedBy: z.string(),
});
/** Whoever watches a folder must be able to work with its brief: said when it is saved, not when a video comes. */
const NewSettings = Settings.extend({
  driveFolders: z
    .array(Settings.shape.driveFolders.unwrap().element.extend({ brief: Brief }))
    .max(10)
    .default([]),
});
const Change = z.object({
  settings: NewSettings,
  version: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('The version that was read; instead of it, If-Match with the ETag'),
});

export const { handler, routes } = defineRoutes({
  name: 'Settings',
  needs: { settings: settingsWriterNeed, chain: queueNeed('audit-chain.fifo', 'send'), bus: busNeed },
  routes: (route) => [
    route({
      method: 'GET',
      path: '/v1/settings',
      summary: 'The settings, with their version',
      access: ['viewer', 'operator', 'approver', 'admin'],
      responses: { 200: View },
      async run({ caller }, { settings }) {
        return answer(await settings.current(caller.tenant));
      },
    }),
    route({
      method: 'PUT',
      path: '/v1/settings',
      summary: 'Replace the settings; refused when somebody changed them since they were read',
      access: ['admin'],
      body: Change,
      responses: { 200: View },
      async run({ body, caller, headers }, { settings, chain, bus, clock, log }) {
        const { tenant, subject: actor } = caller;
        const saved = await settings.save({
          tenant,
          expectedVersion: versionOf(headers['if-match'], body.version),
          settings: body.settings,
          actor,
          nowMs: clock.now(),
        });
        try {
          await chain.send(saved.chain, {
            groupId: tenant,
            deduplicationId: sha256(`${tenant}#${saved.chain.record}`),
          });
          const detail = { tenant, version: saved.version, actor };
          await bus.publish([{ name: 'settings.changed', detail }]);
        } catch (error) {
          if (!isTaskError(error)) throw error;
          // They are saved and audited: SweepAudit chains the record, and saying "failed" would be wrong.
          log.warn('saved settings were not announced', { version: saved.version, reason: error.message });
        }
        return answer(await settings.current(tenant));
      },
    }),
  ],
});

function answer(current: VersionedSettings) {
  return { status: 200, body: current, headers: { etag: `"${current.version}"` } };
}

/** @throws InvalidInput when neither says which version was read, or they differ. */
function versionOf(ifMatch: string | undefined, version: number | undefined): number {
  const matched = ifMatch === undefined ? undefined : /^"?(\d{1,9})"?$/.exec(ifMatch.trim())?.[1];
  if (ifMatch !== undefined && matched === undefined)
    throw new InvalidInput('If-Match must be the ETag of the settings that were read.', { path: 'If-Match' });
  const expected = matched === undefined ? version : Number(matched);
  if (expected === undefined)
    throw new InvalidInput('Say which version was read: `version`, or If-Match.', { path: 'version' });
  if (version !== undefined && version !== expected)
    throw new InvalidInput('`version` and If-Match name different versions.', { path: 'version' });
  return expected;
}
