// Was anything in the audit log changed, removed or reordered?
import * as z from 'zod';
import { readAudit, verifyAudit } from './audit.ts';
import { defineRoutes } from './define-routes.ts';
import { tableNeed } from './table.ts';

const Verdict = z.object({
  valid: z.boolean(),
  problems: z.array(z.string()),
  chained: z.number().int(),
  tail: z
    .object({ count: z.number().int(), oldestAgeMs: z.number() })
    .describe('Records that wait to be chained; normal while young'),
});

export const { handler, routes } = defineRoutes({
  name: 'Audit',
  needs: { audit: tableNeed('audit', ['Query']) },
  routes: (route) => [
    route({
      method: 'GET',
      path: '/v1/audit/verify',
      summary: 'Compute the hash chain of the audit log again',
      access: ['approver', 'admin'],
      responses: { 200: Verdict },
      async run({ caller }, { audit, clock }) {
        return { status: 200, body: verifyAudit(await readAudit(audit, caller.tenant), clock.now()) };
      },
    }),
  ],
});
