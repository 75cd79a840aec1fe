// What does the HTTP API look like to those who call it?
import * as z from 'zod';
import { ProblemDocument } from './problem.ts';
import type { RouteSpec, RoutesSpec } from './specs.ts';

export interface ApiInfo {
  title: string;
  version: string;
  description?: string;
}

type Json = Record<string, unknown>;

/** OpenAPI 3.1 from the routes' zod schemas. Pure: the same routes give the same document. */
export function openApi(specs: readonly RoutesSpec[], info: ApiInfo): Json {
  const paths: Record<string, Json> = {};
  for (const spec of specs.toSorted((a, b) => a.name.localeCompare(b.name))) {
    for (const route of spec.routes) {
      (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, spec.name);
    }
  }
  return {
    openapi: '3.1.0',
    info,
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => a.localeCompare(b))),
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Claims custom:tenant, role and sub.',
        },
      },
      schemas: { Problem: schemaOf(ProblemDocument, 'output') },
    },
  };
}

function operation(route: RouteSpec, tag: string): Json {
  const open = route.access === 'public';
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [tag],
    security: open ? [] : [{ token: [] }],
    ...(open ? {} : { 'x-roles': route.access }),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, schema]) => [status, success(status, schema)]),
      ),
      default: {
        description: 'A problem, RFC 9457.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function success(status: string, schema: z.ZodType): Json {
  const described = schema.description ?? (status === '202' ? 'Accepted' : 'Answer');
  // Undefined is how a route says that an answer has no body.
  if (schema.safeParse(undefined).success) return { description: described };
  return { description: described, content: { 'application/json': { schema: schemaOf(schema, 'output') } } };
}

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  return rest;
}

/** `GET /v1/executions/{id}` → `getV1ExecutionsId`. */
function operationId({ method, path }: RouteSpec): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}
