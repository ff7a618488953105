import type { Scope } from './caller.ts'

/** The services that have routes. */
export type ServiceName = 'ingest' | 'api' | 'stream-gateway'

/** One route of the public API. */
export interface Route {
  /** Also OpenAPI's operationId. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `{name}` for a whole segment. */
  readonly path: string
  readonly service: ServiceName
  /** The scope a key needs; `any` is any valid key, `none` is no key. */
  readonly scope: Scope | 'any' | 'none'
  readonly summary: string
  /** HEAD is answered like GET unless this is set: an endless answer has no head to ask for. */
  readonly noHead?: boolean
  /** A write that creates or starts something: the header `Idempotency-Key` counts. On other routes it is ignored. */
  readonly idempotent?: boolean
}

/**
 * Whether a route is an administrative write: a call to webhooks, API keys or tenants other than GET. These are paced, and so is every
 * request with an `Idempotency-Key` on a route that heeds it, as its answer is kept.
 */
export function isAdministrativeWrite({ method, path }: Pick<Route, 'method' | 'path'>): boolean {
  return method !== 'GET' && /^\/v1\/(?:webhooks|api-keys|tenants)(?:\/|$)/.test(path)
}

/**
 * The one route table. Routing in every service and in `standalone`, compose, Kubernetes (by path and method) and OpenAPI
 * are made from it. A route with a fixed segment is listed before one with a parameter in the same position.
 */
// prettier-ignore
export const ROUTES = [
  { name: 'postEvents', method: 'POST', path: '/v1/events', service: 'ingest', scope: 'events:write', summary: 'Post events' },
  { name: 'streamEvents', method: 'GET', path: '/v1/events/stream', service: 'stream-gateway', scope: 'events:read', summary: 'Stream events (SSE)', noHead: true },
  { name: 'streamEventsByForm', method: 'POST', path: '/v1/events/stream', service: 'stream-gateway', scope: 'events:read', summary: 'Stream events (SSE), parameters in a form' },
  { name: 'listEvents', method: 'GET', path: '/v1/events', service: 'api', scope: 'events:read', summary: 'List events' },
  { name: 'getEvent', method: 'GET', path: '/v1/events/{id}', service: 'api', scope: 'events:read', summary: 'Get an event' },
  { name: 'listTasks', method: 'GET', path: '/v1/tasks', service: 'api', scope: 'events:read', summary: 'List tasks' },
  { name: 'createStreamToken', method: 'POST', path: '/v1/stream-tokens', service: 'stream-gateway', scope: 'events:read', summary: 'Create a stream token' },
  { name: 'createWebhook', method: 'POST', path: '/v1/webhooks', service: 'api', scope: 'webhooks', summary: 'Create a webhook', idempotent: true },
  { name: 'listWebhooks', method: 'GET', path: '/v1/webhooks', service: 'api', scope: 'webhooks', summary: 'List webhooks' },
  { name: 'getWebhook', method: 'GET', path: '/v1/webhooks/{id}', service: 'api', scope: 'webhooks', summary: 'Get a webhook' },
  { name: 'updateWebhook', method: 'PATCH', path: '/v1/webhooks/{id}', service: 'api', scope: 'webhooks', summary: 'Change a webhook' },
  { name: 'deleteWebhook', method: 'DELETE', path: '/v1/webhooks/{id}', service: 'api', scope: 'webhooks', summary: 'Delete a webhook' },
  { name: 'rotateWebhookSecret', method: 'POST', path: '/v1/webhooks/{id}/rotate-secret', service: 'api', scope: 'webhooks', summary: "Rotate a webhook's secret", idempotent: true },
  { name: 'getWebhookStats', method: 'GET', path: '/v1/webhooks/{id}/stats', service: 'api', scope: 'webhooks', summary: 'Get statistics of a webhook' },
  { name: 'testWebhook', method: 'POST', path: '/v1/webhooks/{id}/test', service: 'api', scope: 'webhooks', summary: 'Send a test delivery' },
  { name: 'createReplay', method: 'POST', path: '/v1/webhooks/{id}/replay', service: 'api', scope: 'webhooks', summary: 'Deliver past events again', idempotent: true },
  { name: 'listReplays', method: 'GET', path: '/v1/webhooks/{id}/replays', service: 'api', scope: 'webhooks', summary: 'List replays of a webhook' },
  { name: 'getReplay', method: 'GET', path: '/v1/webhooks/{id}/replays/{replay}', service: 'api', scope: 'webhooks', summary: 'Get the progress of a replay' },
  { name: 'cancelReplay', method: 'DELETE', path: '/v1/webhooks/{id}/replays/{replay}', service: 'api', scope: 'webhooks', summary: 'Cancel a replay' },
  { name: 'listDeliveries', method: 'GET', path: '/v1/webhooks/{id}/deliveries', service: 'api', scope: 'webhooks', summary: 'List deliveries of a webhook' },
  { name: 'findDeliveries', method: 'GET', path: '/v1/deliveries', service: 'api', scope: 'webhooks', summary: 'List deliveries' },
  { name: 'getDelivery', method: 'GET', path: '/v1/deliveries/{id}', service: 'api', scope: 'webhooks', summary: 'Get a delivery with its attempts' },
  { name: 'redeliver', method: 'POST', path: '/v1/deliveries/{id}/redeliver', service: 'api', scope: 'webhooks', summary: 'Deliver again', idempotent: true },
  { name: 'createRedelivery', method: 'POST', path: '/v1/deliveries/redeliver', service: 'api', scope: 'webhooks', summary: 'Deliver again by a filter', idempotent: true },
  { name: 'listRedeliveries', method: 'GET', path: '/v1/redeliveries', service: 'api', scope: 'webhooks', summary: 'List redeliveries' },
  { name: 'getRedelivery', method: 'GET', path: '/v1/redeliveries/{id}', service: 'api', scope: 'webhooks', summary: 'Get the progress of a redelivery' },
  { name: 'cancelRedelivery', method: 'DELETE', path: '/v1/redeliveries/{id}', service: 'api', scope: 'webhooks', summary: 'Cancel a redelivery' },
  { name: 'getCurrentApiKey', method: 'GET', path: '/v1/api-keys/current', service: 'api', scope: 'any', summary: 'Get the key that calls' },
  { name: 'createApiKey', method: 'POST', path: '/v1/api-keys', service: 'api', scope: 'admin', summary: 'Create an API key', idempotent: true },
  { name: 'listApiKeys', method: 'GET', path: '/v1/api-keys', service: 'api', scope: 'admin', summary: 'List API keys' },
  { name: 'updateApiKey', method: 'PATCH', path: '/v1/api-keys/{id}', service: 'api', scope: 'admin', summary: 'Change an API key' },
  { name: 'rotateApiKey', method: 'POST', path: '/v1/api-keys/{id}/rotate', service: 'api', scope: 'admin', summary: "Rotate an API key's secret", idempotent: true },
  { name: 'revokeApiKey', method: 'DELETE', path: '/v1/api-keys/{id}', service: 'api', scope: 'admin', summary: 'Revoke an API key' },
  { name: 'listTenants', method: 'GET', path: '/v1/tenants', service: 'api', scope: 'platform', summary: 'List tenants' },
  { name: 'getTenant', method: 'GET', path: '/v1/tenants/{id}', service: 'api', scope: 'platform', summary: 'Get a tenant' },
  { name: 'putTenant', method: 'PUT', path: '/v1/tenants/{id}', service: 'api', scope: 'platform', summary: 'Suspend, activate or limit a tenant' },
  { name: 'deleteTenant', method: 'DELETE', path: '/v1/tenants/{id}', service: 'api', scope: 'platform', summary: 'Delete a tenant with all its data' },
  { name: 'listAuditEntries', method: 'GET', path: '/v1/audit', service: 'api', scope: 'admin', summary: 'List administrative changes' },
  { name: 'listDeadLetters', method: 'GET', path: '/v1/dead-letters', service: 'api', scope: 'platform', summary: 'List dead letters' },
  { name: 'getSystem', method: 'GET', path: '/v1/system', service: 'api', scope: 'platform', summary: 'Get the state of the system' },
  { name: 'listEventTypes', method: 'GET', path: '/v1/event-types', service: 'api', scope: 'any', summary: 'List event types' },
  { name: 'getIndex', method: 'GET', path: '/', service: 'api', scope: 'none', summary: 'Where the documents are' },
  { name: 'getOpenapi', method: 'GET', path: '/openapi.json', service: 'api', scope: 'none', summary: 'The OpenAPI document' },
  { name: 'getAsyncapi', method: 'GET', path: '/asyncapi.json', service: 'api', scope: 'none', summary: 'The AsyncAPI document' },
  { name: 'listProblems', method: 'GET', path: '/problems', service: 'api', scope: 'none', summary: 'All problems' },
  { name: 'getProblem', method: 'GET', path: '/problems/{code}', service: 'api', scope: 'none', summary: 'What a problem means' },
  { name: 'getLlms', method: 'GET', path: '/llms.txt', service: 'api', scope: 'none', summary: 'The API for language models' },
  { name: 'getDocs', method: 'GET', path: '/docs', service: 'api', scope: 'none', summary: 'The API reference' },
  { name: 'getDocsScript', method: 'GET', path: '/docs/reference.js', service: 'api', scope: 'none', summary: "The reference's script" },
  { name: 'getDocsStart', method: 'GET', path: '/docs/start.js', service: 'api', scope: 'none', summary: 'What starts that script' },
  { name: 'getConsole', method: 'GET', path: '/console', service: 'api', scope: 'none', summary: 'The console' },
  { name: 'getConsoleAsset', method: 'GET', path: '/console/assets/{file}', service: 'api', scope: 'none', summary: "A file of the console" },
  { name: 'listGuides', method: 'GET', path: '/docs/guides', service: 'api', scope: 'none', summary: 'All guides' },
  { name: 'getGuide', method: 'GET', path: '/docs/guides/{name}', service: 'api', scope: 'none', summary: 'A guide' },
  { name: 'getFavicon', method: 'GET', path: '/favicon.ico', service: 'api', scope: 'none', summary: 'The icon of the pages' },
  { name: 'getRobots', method: 'GET', path: '/robots.txt', service: 'api', scope: 'none', summary: 'What crawlers may read' },
  { name: 'getSecurityTxt', method: 'GET', path: '/.well-known/security.txt', service: 'api', scope: 'none', summary: 'Where to report a vulnerability' },
] as const satisfies readonly Route[]

/** The name of a route of {@link ROUTES}. */
export type RouteName = (typeof ROUTES)[number]['name']

/** The route of a name. */
export function routeOf(name: RouteName): Route & { readonly name: RouteName } {
  const route = ROUTES.find((candidate) => candidate.name === name)
  if (route === undefined) throw new RangeError(`There is no route ${name as string}.`)
  return route
}
