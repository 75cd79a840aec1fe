// Which new videos lie in the folders that tenants asked us to watch?
import * as z from 'zod';
import { drivePort } from '../ports/drive/drive-port.ts';
import { defineTrigger } from '../runtime/define-trigger.ts';
import { isTaskError, Unavailable } from '../runtime/errors.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { allSettingsNeed } from '../runtime/settings.ts';
import { creativesNeed } from './creatives.ts';
import { startNeeds } from './start-run.ts';
import { watchTenant } from './watch-tenant.ts';

export const { handler, trigger } = defineTrigger({
  name: 'WatchDrive',
  source: { kind: 'schedule', expression: 'rate(5 minutes)' },
  timeoutSeconds: 240,
  needs: {
    ...startNeeds,
    settings: allSettingsNeed,
    creatives: creativesNeed('GetItem', 'PutItem'),
    drive: drivePort,
  },
  event: z.object({ scheduledTime: z.string() }),
  async run(_event, { log, ...context }) {
    const tenants = [...new Set((await context.settings.watchedFolders()).map(({ tenant }) => tenant))];
    let ours = 0;
    let last: unknown;
    for (const tenant of tenants) {
      try {
        const seen = await watchTenant(tenant, context);
        if (seen.restarted)
          log.warn('the page token was too old; changes before now are not seen', { tenant });
        if (seen.started.length > 0)
          log.info('runs started from a watched folder', { tenant, runs: seen.started });
      } catch (error) {
        // One tenant's trouble keeps no other waiting: its token stays, so the next sweep sees the same changes.
        const theirs = isTaskError(error) && error.name !== 'Unavailable';
        if (!theirs) ours += 1;
        last = error;
        log.error('a watched Drive could not be read', {
          tenant,
          error: error instanceof Error ? error.name : 'unknown',
          reason: String(error),
        });
      }
    }
    emitMetric('sweep_runs_total', 1, { sweep: 'watch-drive', status: ours === 0 ? 'succeeded' : 'failed' });
    if (ours > 0 && ours === tenants.length)
      throw new Unavailable('No watched Drive could be read.', { cause: last });
  },
});
