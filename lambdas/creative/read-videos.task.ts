// Has the platform processed every video?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { Refused } from '../runtime/errors.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { publisherPort } from '../ports/ads/publisher-port.ts';
import { Published } from './publish-input.ts';
import { CreativeRequest } from './request.ts';

export const { handler, task } = defineTask({
  name: 'ReadVideos',
  input: z.object({ request: CreativeRequest, published: Published }),
  output: z.object({ status: z.enum(['processing', 'ready']) }),
  needs: { publisher: publisherPort, settings: settingsNeed },
  runPercent: [93, 94],
  async run({ request, published }, { publisher: port, settings, run }) {
    const account = await settings.adAccount(run.tenant, request.adAccountId);
    const publisher = await port.for({ tenant: run.tenant, accountId: account.id, secret: account.secret });
    let ready = true;
    for (const { videoId, variationId } of published.videos) {
      const status = await publisher.videoStatus(videoId);
      if (status === null || status.state === 'failed') {
        const reason = (status?.reason ?? 'it is gone').replace(/\.$/, '');
        throw new Refused(`The platform could not process the video of ${variationId}: ${reason}.`);
      }
      ready &&= status.state === 'ready';
    }
    return { status: ready ? ('ready' as const) : ('processing' as const) };
  },
});
