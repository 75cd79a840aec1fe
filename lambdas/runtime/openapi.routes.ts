// What can this API do, for programs that ask?
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { defineRoutes } from './define-routes.ts';

/** Written beside the code when it is bundled, from the schemas of every route (lib/aws/app.ts). */
const DOCUMENT = 'openapi.json';

let document: Record<string, unknown> | undefined;

export const { handler, routes } = defineRoutes({
  name: 'OpenApi',
  // None: it reads a file of its own.
  needs: {},
  routes: (route) => [
    route({
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document, OpenAPI 3.1',
      access: 'public',
      responses: { 200: z.record(z.string(), z.unknown()) },
      run() {
        document ??= JSON.parse(readFileSync(new URL(DOCUMENT, import.meta.url), 'utf8')) as Record<
          string,
          unknown
        >;
        const headers = { 'cache-control': 'public, max-age=300' };
        return Promise.resolve({ status: 200, body: document, headers });
      },
    }),
  ],
});
