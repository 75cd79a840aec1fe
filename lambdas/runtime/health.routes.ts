// Is Impresario well?
import { defineRoutes } from './define-routes.ts';
import { Health, healthNeed } from './health.ts';

export const { handler, routes } = defineRoutes({
  name: 'Health',
  needs: { health: healthNeed },
  routes: (route) => [
    route({
      method: 'GET',
      path: '/health',
      summary: 'Tables, queues, circuits, workers: 503 when something we stand on does not answer',
      access: 'public',
      responses: { 200: Health, 503: Health },
      async run(_request, { health }) {
        const body = await health.look();
        return {
          status: body.status === 'failing' ? 503 : 200,
          body,
          headers: { 'cache-control': 'no-store' },
        };
      },
    }),
  ],
});
