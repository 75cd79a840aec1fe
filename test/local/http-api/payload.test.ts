import { describe, expect, it } from 'vitest';
import { eventOf, responseOf } from '../../../lib/local/http-api/payload.ts';

const request = {
  apiId: 'api1',
  stage: '$default',
  routeKey: 'POST /runs/{id}',
  method: 'POST',
  rawPath: '/runs/7',
  rawQueryString: 'x=1&x=2&y=a%20b',
  headers: { cookie: 'u=1; v=2', 'content-type': 'application/json', 'user-agent': 'curl' },
  body: Buffer.from('{"a":1}'),
  pathParameters: { id: '7' },
  requestId: 'r1',
  timeMs: Date.UTC(2026, 2, 9, 4, 5, 6),
  sourceIp: '127.0.0.1',
};

describe('eventOf', () => {
  it('has the shape of payload format 2.0', () => {
    expect(eventOf(request)).toEqual({
      version: '2.0',
      routeKey: 'POST /runs/{id}',
      rawPath: '/runs/7',
      rawQueryString: 'x=1&x=2&y=a%20b',
      cookies: ['u=1', 'v=2'],
      headers: { 'content-type': 'application/json', 'user-agent': 'curl' },
      queryStringParameters: { x: '1,2', y: 'a b' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'api1',
        domainName: 'api1.execute-api.us-east-1.amazonaws.com',
        domainPrefix: 'api1',
        http: {
          method: 'POST',
          path: '/runs/7',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'curl',
        },
        requestId: 'r1',
        routeKey: 'POST /runs/{id}',
        stage: '$default',
        time: '09/Mar/2026:04:05:06 +0000',
        timeEpoch: request.timeMs,
      },
      pathParameters: { id: '7' },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
  });

  it('encodes binary bodies', () => {
    const event = eventOf({
      ...request,
      headers: { 'content-type': 'video/mp4' },
      body: Buffer.from([255, 0]),
    });
    expect(event).toMatchObject({ body: '/wA=', isBase64Encoded: true });
  });
});

describe('responseOf', () => {
  it('reads a full response', () => {
    const response = responseOf({
      statusCode: 201,
      headers: { 'X-A': 1, 'Content-Type': 'text/plain' },
      cookies: ['a=b'],
      body: '/wA=',
      isBase64Encoded: true,
    });
    expect(response).toEqual({
      status: 201,
      headers: { 'x-a': '1', 'content-type': 'text/plain' },
      cookies: ['a=b'],
      body: Buffer.from([255, 0]),
    });
  });

  it('takes anything without a status code as a 200 body', () => {
    expect(responseOf({ plain: true })?.body.toString()).toBe('{"plain":true}');
    expect(responseOf('text')?.body.toString()).toBe('text');
  });

  it.each([{ statusCode: 'no' }, { statusCode: 99 }, { statusCode: 200, body: { a: 1 } }])(
    'cannot read %j',
    (result) => {
      expect(responseOf(result)).toBeUndefined();
    },
  );
});
