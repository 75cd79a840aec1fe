// How do an HTTP API's parts come together?
import type { Json } from '../../types.ts';
import { isTrue, onlyMembers } from '../resource.ts';
import type { ApiParts, ResourceContext, ResourceKinds } from '../resource.ts';

function partsOf(apiId: string, { deployed }: ResourceContext): ApiParts {
  const parts = deployed.apis.get(apiId);
  if (parts === undefined) throw new Error(`names the API ${apiId}, which is not deployed`);
  return parts;
}

function throttle(settings: Json): { ratePerSecond: number; burst: number } | undefined {
  if (settings?.ThrottlingRateLimit === undefined && settings?.ThrottlingBurstLimit === undefined)
    return undefined;
  return {
    ratePerSecond: Number(settings.ThrottlingRateLimit ?? 10_000),
    burst: Number(settings.ThrottlingBurstLimit ?? 5_000),
  };
}

/** `arn:aws:apigateway:…/functions/<arn>/invocations` or the function's ARN itself. */
function functionOf(uri: string): string {
  const inside = /\/functions\/(.+)\/invocations$/.exec(uri)?.[1] ?? uri;
  if (!inside.startsWith('arn:aws:lambda:')) throw new Error(`integration ${uri} is not supported`);
  return inside;
}

export const httpApiResources: ResourceKinds = {
  'AWS::ApiGatewayV2::Api': {
    reads: ['Name', 'ProtocolType', 'CorsConfiguration', 'RouteSelectionExpression'],
    ignores: ['DisableExecuteApiEndpoint'],
    create(properties, context) {
      if (properties.ProtocolType !== 'HTTP') {
        throw new Error(`ProtocolType ${properties.ProtocolType} is not supported`);
      }
      if (context.deployed.apis.size > 0) throw new Error('a second API in one cloud is not supported');
      const cors = properties.CorsConfiguration;
      const apiId = context.id(10);
      context.deployed.apis.set(apiId, {
        definition: {
          apiId,
          stage: '$default',
          ...(cors === undefined
            ? {}
            : {
                cors: {
                  allowOrigins: cors.AllowOrigins ?? [],
                  allowMethods: cors.AllowMethods ?? [],
                  allowHeaders: cors.AllowHeaders ?? [],
                  exposeHeaders: cors.ExposeHeaders ?? [],
                  allowCredentials: isTrue(cors.AllowCredentials),
                  ...(cors.MaxAge === undefined ? {} : { maxAgeSeconds: Number(cors.MaxAge) }),
                },
              }),
        },
        integrations: new Map(),
        authorizers: new Map(),
        routes: new Map(),
        routeThrottles: new Map(),
      });
      return { ref: apiId, attributes: { ApiId: apiId, ApiEndpoint: context.apiUrl } };
    },
  },
  'AWS::ApiGatewayV2::Stage': {
    reads: ['ApiId', 'StageName', 'AutoDeploy', 'DefaultRouteSettings', 'RouteSettings', 'StageVariables'],
    ignores: ['AccessLogSettings'],
    create(properties, context) {
      if (properties.StageName !== '$default')
        throw new Error(`stage ${properties.StageName} is not supported`);
      if (properties.StageVariables !== undefined)
        throw new Error('property StageVariables is not supported');
      const parts = partsOf(properties.ApiId, context);
      const known = ['ThrottlingBurstLimit', 'ThrottlingRateLimit', 'DetailedMetricsEnabled'];
      onlyMembers(properties.DefaultRouteSettings, known, 'property DefaultRouteSettings');
      const limit = throttle(properties.DefaultRouteSettings);
      if (limit !== undefined) parts.definition = { ...parts.definition, throttle: limit };
      for (const [routeKey, settings] of Object.entries(
        (properties.RouteSettings ?? {}) as Record<string, Json>,
      )) {
        onlyMembers(settings, known, `property RouteSettings.${routeKey}`);
        const routeLimit = throttle(settings);
        if (routeLimit !== undefined) parts.routeThrottles.set(routeKey, routeLimit);
      }
      return { ref: properties.StageName };
    },
  },
  'AWS::ApiGatewayV2::Integration': {
    reads: ['ApiId', 'IntegrationType', 'IntegrationUri', 'PayloadFormatVersion', 'IntegrationMethod'],
    create(properties, context) {
      if (properties.IntegrationType !== 'AWS_PROXY') {
        throw new Error(`IntegrationType ${properties.IntegrationType} is not supported`);
      }
      if (properties.PayloadFormatVersion !== '2.0') {
        throw new Error(`PayloadFormatVersion ${properties.PayloadFormatVersion} is not supported`);
      }
      const id = context.id(7);
      const functionArn = functionOf(properties.IntegrationUri);
      partsOf(properties.ApiId, context).integrations.set(id, { functionArn });
      return { ref: id, attributes: { IntegrationId: id } };
    },
  },
  'AWS::ApiGatewayV2::Authorizer': {
    reads: ['ApiId', 'Name', 'AuthorizerType', 'IdentitySource', 'JwtConfiguration'],
    create(properties, context) {
      if (properties.AuthorizerType !== 'JWT') {
        throw new Error(`AuthorizerType ${properties.AuthorizerType} is not supported`);
      }
      const [source] = [properties.IdentitySource].flat();
      if (source !== '$request.header.Authorization') {
        throw new Error(`IdentitySource ${source} is not supported`);
      }
      const id = context.id(6);
      const { Issuer, Audience } = properties.JwtConfiguration;
      const configuration = context.jwt ?? { issuer: Issuer, audience: Audience };
      partsOf(properties.ApiId, context).authorizers.set(id, configuration);
      return { ref: id, attributes: { AuthorizerId: id } };
    },
  },
  'AWS::ApiGatewayV2::Route': {
    reads: ['ApiId', 'RouteKey', 'Target', 'AuthorizationType', 'AuthorizerId', 'AuthorizationScopes'],
    create(properties, context) {
      const parts = partsOf(properties.ApiId, context);
      const integration = parts.integrations.get(String(properties.Target).replace('integrations/', ''));
      if (integration === undefined) throw new Error(`target ${properties.Target} is not deployed`);
      const type = properties.AuthorizationType ?? 'NONE';
      if (type !== 'NONE' && type !== 'JWT') throw new Error(`AuthorizationType ${type} is not supported`);
      const authorizer = type === 'JWT' ? parts.authorizers.get(properties.AuthorizerId) : undefined;
      if (type === 'JWT' && authorizer === undefined) {
        throw new Error(`authorizer ${properties.AuthorizerId} is not deployed`);
      }
      if (parts.routes.has(properties.RouteKey))
        throw new Error(`route ${properties.RouteKey} exists already`);
      parts.routes.set(properties.RouteKey, {
        functionArn: integration.functionArn,
        scopes: properties.AuthorizationScopes ?? [],
        ...(authorizer === undefined ? {} : { authorizer }),
      });
      return { ref: context.id(7) };
    },
  },
};
