import { published } from '@ariftly/contract'
import { ROUTES, type NamedRoute, type RouteName } from '@ariftly/http'
import { apiKeyOperations } from './operations/api-key-operations.ts'
import { deadLetterOperations } from './operations/dead-letter-operations.ts'
import { documentOperations } from './operations/document-operations.ts'
import { eventOperations } from './operations/event-operations.ts'
import { replayOperations } from './operations/replay-operations.ts'
import { tenantOperations } from './operations/tenant-operations.ts'
import { streamOperations } from './operations/stream-operations.ts'
import { deliveryOperations } from './operations/delivery-operations.ts'
import { webhookOperations } from './operations/webhook-operations.ts'
import type { OpenapiDocument, OpenapiOperation } from './document.ts'
import { TAGS, type OperationDoc } from './operation.ts'
import { renderOperation } from './render-operation.ts'
import { EVENT_WEBHOOK } from './event-webhook.ts'
import { componentSchemas } from './schema-ref.ts'
import { shareResponses } from './share-responses.ts'

/** What the document is made for. */
export interface OpenapiOptions {
  /** The routes that are really served; default: all of the table. */
  readonly routes?: readonly NamedRoute[]
  /** Where clients reach the API; default: the public address. */
  readonly serverUrl?: string
  /** Epoch milliseconds; examples that must lie in the last days are made from it. */
  readonly nowMs: number
}

const DAY_MS = 86_400_000

/**
 * Builds the OpenAPI 3.1 document from the route table and the schemas of the system. Deterministic for its options. It throws for a
 * route that nothing is said about: the compiler sees that first.
 */
export function buildOpenapi(options: OpenapiOptions): OpenapiDocument {
  const { routes = ROUTES, serverUrl = 'https://api.ariftly.io' } = options
  const docs = operationDocs(new Date(Math.floor(options.nowMs / DAY_MS - 1) * DAY_MS).toISOString())
  const paths: Record<string, Record<string, OpenapiOperation>> = {}
  for (const route of routes) {
    const path = (paths[route.path] ??= {})
    path[route.method.toLowerCase()] = renderOperation(route, docs[route.name])
  }
  const shared = shareResponses(paths)
  const document = {
    openapi: '3.1.1',
    info: INFO,
    servers: [{ url: serverUrl }],
    security: [{ apiKey: [] }],
    tags: TAGS,
    paths: shared.paths,
    webhooks: { event: { post: EVENT_WEBHOOK } },
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, as `Authorization: Bearer <API key>`.' },
        streamToken: {
          type: 'apiKey',
          in: 'query',
          name: 'token',
          description: 'A stream token, for the stream alone.',
        },
      },
      responses: shared.responses,
      schemas: componentSchemas(),
    },
  }
  return published(document) as OpenapiDocument
}

function operationDocs(recent: string): Readonly<Record<RouteName, OperationDoc>> {
  return {
    ...eventOperations(recent),
    ...streamOperations,
    ...webhookOperations,
    ...deliveryOperations,
    ...replayOperations(recent),
    ...apiKeyOperations,
    ...tenantOperations,
    ...deadLetterOperations,
    ...documentOperations,
  }
}

const INFO = {
  title: 'Ariftly Events API',
  version: '1.1.0',
  summary: 'Post, query, stream and deliver the events of agents.',
  contact: { name: 'Ariftly', url: 'https://ariftly.io' },
  license: { name: 'Proprietary', url: 'https://ariftly.io/terms' },
  description: `Every state change in the platform is an immutable event.

**Keys.** All paths under \`/v1\` need \`Authorization: Bearer <API key>\` with the scope that the operation names. Another tenant's resource is 404.

**Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\` and, for input, \`errors\` that name each parameter or pointer. A parameter that is unknown, empty or repeated is 400; a body with an unknown member or a bad value is 422. \`X-Request-Id\` is on every answer.

**Lists** answer \`{object, data, has_more, next_cursor}\`; pass \`next_cursor\` as \`cursor\` to get the next page.

**New members** may appear in any answer: ignore those that you do not know.`,
} as const
