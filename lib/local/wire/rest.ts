// Which operation does a REST request of Scheduler or Lambda mean?
import type { IncomingHttpHeaders } from 'node:http';
import type { CloudService, Json } from '../types.ts';

export interface RestRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface RestCall {
  service: CloudService;
  operation: string;
  input: Json;
  /** How the answer is written; JSON with status 200 when absent. */
  respond?: (output: Json) => { status: number; headers?: Record<string, string>; body: Buffer | string };
}

type Build = (request: RestRequest, names: readonly string[]) => RestCall;

const json = (body: Buffer): Json => (body.length === 0 ? {} : JSON.parse(body.toString('utf8')));

/** Query parameters under the API's member names; numbers where the API says so. */
function fromQuery(query: URLSearchParams, members: Readonly<Record<string, string>>): Json {
  const found = Object.entries(members).filter(([parameter]) => query.has(parameter));
  return Object.fromEntries(
    found.map(([parameter, member]) => {
      const value = query.get(parameter)!;
      return [member, /^Max(Results|Items)$/.test(member) ? Number(value) : value];
    }),
  );
}

const scheduler = (operation: string, member: string): Build => {
  return ({ body, query }, [name]) => ({
    service: 'scheduler',
    operation,
    input: {
      ...json(body),
      ...fromQuery(query, {
        groupName: 'GroupName',
        clientToken: 'ClientToken',
        NamePrefix: 'NamePrefix',
        NextToken: 'NextToken',
        MaxResults: 'MaxResults',
        ScheduleGroup: 'GroupName',
        State: 'State',
      }),
      ...(name === undefined ? {} : { [member]: name }),
    },
  });
};

const lambda = (operation: string, member = 'FunctionName'): Build => {
  return ({ body, query }, [name]) => ({
    service: 'lambda',
    operation,
    input: {
      ...json(body),
      ...fromQuery(query, {
        Marker: 'Marker',
        MaxItems: 'MaxItems',
        Qualifier: 'Qualifier',
        FunctionName: 'FunctionName',
        EventSourceArn: 'EventSourceArn',
      }),
      ...(name === undefined ? {} : { [member]: name }),
    },
  });
};

const invoke: Build = ({ headers, body }, [name]) => ({
  service: 'lambda',
  operation: 'Invoke',
  input: {
    FunctionName: name,
    InvocationType: headers['x-amz-invocation-type'] ?? 'RequestResponse',
    Payload: body,
  },
  respond: (output) => ({
    status: output.StatusCode,
    headers: {
      'content-type': 'application/json',
      'x-amz-executed-version': output.ExecutedVersion ?? '$LATEST',
      ...(output.FunctionError === undefined ? {} : { 'x-amz-function-error': output.FunctionError }),
    },
    body: Buffer.from(output.Payload ?? ''),
  }),
});

const FUNCTIONS = '/2015-03-31/functions';
const MAPPINGS = '/2015-03-31/event-source-mappings';

const ROUTES: readonly [method: string, path: RegExp, build: Build][] = [
  ['GET', /^\/schedules$/, scheduler('ListSchedules', 'Name')],
  ['POST', /^\/schedules\/([^/]+)$/, scheduler('CreateSchedule', 'Name')],
  ['GET', /^\/schedules\/([^/]+)$/, scheduler('GetSchedule', 'Name')],
  ['PUT', /^\/schedules\/([^/]+)$/, scheduler('UpdateSchedule', 'Name')],
  ['DELETE', /^\/schedules\/([^/]+)$/, scheduler('DeleteSchedule', 'Name')],
  ['GET', /^\/schedule-groups$/, scheduler('ListScheduleGroups', 'Name')],
  ['POST', /^\/schedule-groups\/([^/]+)$/, scheduler('CreateScheduleGroup', 'Name')],
  ['GET', /^\/schedule-groups\/([^/]+)$/, scheduler('GetScheduleGroup', 'Name')],
  ['DELETE', /^\/schedule-groups\/([^/]+)$/, scheduler('DeleteScheduleGroup', 'Name')],
  ['POST', new RegExp(`^${FUNCTIONS}/([^/]+)/invocations$`), invoke],
  ['GET', new RegExp(`^${FUNCTIONS}/?$`), lambda('ListFunctions')],
  ['GET', new RegExp(`^${FUNCTIONS}/([^/]+)$`), lambda('GetFunction')],
  ['GET', new RegExp(`^${FUNCTIONS}/([^/]+)/configuration$`), lambda('GetFunctionConfiguration')],
  ['GET', new RegExp(`^${FUNCTIONS}/([^/]+)/policy$`), lambda('GetPolicy')],
  ['GET', new RegExp(`^${MAPPINGS}/?$`), lambda('ListEventSourceMappings')],
  ['GET', new RegExp(`^${MAPPINGS}/([^/]+)$`), lambda('GetEventSourceMapping', 'UUID')],
  ['PUT', new RegExp(`^${MAPPINGS}/([^/]+)$`), lambda('UpdateEventSourceMapping', 'UUID')],
];

/** Undefined when no operation has this method and path. @throws URIError, SyntaxError for unreadable requests */
export function restCall(request: RestRequest): RestCall | undefined {
  for (const [method, path, build] of ROUTES) {
    const found = method === request.method ? path.exec(request.path) : null;
    if (found !== null) return build(request, found.slice(1).map(decodeURIComponent));
  }
  return undefined;
}
