import { published } from '@ariftly/contract'
import { ROUTES, type NamedRoute, type RouteName } from '@ariftly/http'
import { apiKeyOperations } from './operations/api-key-operations.ts'
import { deadLetterOperations } from './operations/dead-letter-operations.ts'
import { documentOperations } from './operations/document-operations.ts'
import { eventOperations } from './operations/event-operations.ts'
import { replayOperations } from './operations/replay-operations.ts'
import { systemOperations } from './operations/system-operations.ts'
import { tenantOperations } from './operations/tenant-operations.ts'
import { streamOperations } from './operations/stream-operations.ts'
import { deliveryOperations } from './operations/delivery-operations.ts'
import { webhookOperations } from './operations/webhook-operations.ts'
import type { OpenapiDocument, OpenapiOperation } from './document.ts'
import { INFO } from './info.ts'
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
    ...systemOperations,
    ...documentOperations,
  }
}
