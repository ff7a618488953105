import { createEgress, createEgressPolicy } from '@ariftly/egress'
import { startAuthenticator, type Authenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createCursorCodec } from '@ariftly/http'
import { createExpressApp } from '@ariftly/http/express'
import { createKafka } from '@ariftly/kafka'
import { createKeyring } from '@ariftly/keyring'
import {
  createReleasers,
  databaseConnection,
  kafkaConnection,
  type Logger,
  type Readiness,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { createApiKeyHandlers } from './api-keys/api-key-handlers.ts'
import { createApiKeyWrites } from './api-keys/api-key-writes.ts'
import { createListAuditEntries } from './audit/list-audit-entries.ts'
import type { ApiConfig } from './config.ts'
import { createDocumentHandlers } from './documents/document-handlers.ts'
import { createListEventTypes } from './documents/list-event-types.ts'
import { createListDeadLetters } from './dead-letters/list-dead-letters.ts'
import { createFindDeliveries } from './deliveries/find-deliveries.ts'
import { createGetDelivery } from './deliveries/get-delivery.ts'
import { createListDeliveries } from './deliveries/list-deliveries.ts'
import { createRedeliver } from './deliveries/redeliver.ts'
import { createGetEvent } from './events/get-event.ts'
import { createListEvents } from './events/list-events.ts'
import { createCreateRedelivery } from './redeliveries/create-redelivery.ts'
import { createCancelRedelivery, createGetRedelivery } from './redeliveries/get-redelivery.ts'
import { createCancelReplay } from './replays/cancel-replay.ts'
import { createCreateReplay } from './replays/create-replay.ts'
import { createGetReplay } from './replays/get-replay.ts'
import { createListReplays } from './replays/list-replays.ts'
import { createTenantGate } from './tenant-gate.ts'
import { createTenantHandlers } from './tenants/tenant-handlers.ts'
import { createTenantWrites } from './tenants/tenant-writes.ts'
import { createCreateWebhook } from './webhooks/create-webhook.ts'
import { createDeleteWebhook } from './webhooks/delete-webhook.ts'
import { createGetWebhook } from './webhooks/get-webhook.ts'
import { createGetWebhookStats } from './webhooks/get-webhook-stats.ts'
import { createListWebhooks } from './webhooks/list-webhooks.ts'
import { createRotateSecret } from './webhooks/rotate-secret.ts'
import { createTestWebhook } from './webhooks/test-webhook.ts'
import { createUpdateWebhook } from './webhooks/update-webhook.ts'
import { withTenantGate } from './with-tenant-gate.ts'
import { createWritePace, withWritePace } from './writes/write-pace.ts'
import { createWrites } from './writes/create-writes.ts'

export { apiConfig } from './config.ts'
export type { ApiConfig } from './config.ts'

/** Connections that read events, and how many queries of one tenant may wait for one. */
const EVENTS_POOL_MAX = 10
const EVENTS_WAITING_MAX = 100
/** The same for webhooks, deliveries and keys. */
const REST_POOL_MAX = 6
const REST_WAITING_MAX = 200
/** Connections for tests of webhooks, which only read their webhook before they are under way. */
const TESTS_READING = 2
/** Tests of webhooks under way, and how many more of one tenant may wait. */
const TESTS_MAX = 20
const TESTS_WAITING_MAX = 10
/** Reads of dead letters under way, and how many more of one tenant may wait. */
const LETTERS_MAX = 2
const LETTERS_WAITING_MAX = 4

/**
 * Starts the api: events, webhooks, deliveries and API keys out of Postgres. Returns at once; while Postgres is away it
 * answers 503. Events, the rest, and keys have connections of their own, so slow lists delay neither. Kafka is asked for dead
 * letters alone.
 */
export async function start(config: ApiConfig, deps: ServiceDeps & SharedAuthenticator): Promise<Running> {
  const { log, metrics, tracing } = deps
  const releasers = createReleasers(log)
  const poolOf = (name: string, max: number, settings: Readonly<Record<string, string>> = {}): Pool => {
    const pool = createServicePool(config, log, { name, max, settings })
    releasers.add(`pool ${name}`, () => pool.end())
    return pool
  }
  try {
    const keyring = createKeyring(config.ENCRYPTION_KEYS)
    const policy = createEgressPolicy({
      allowHttp: config.WEBHOOK_ALLOW_HTTP,
      allowCidrs: config.WEBHOOK_ALLOW_CIDRS,
    })
    const cursors = createCursorCodec(keyring)
    const events = poolOf('events', EVENTS_POOL_MAX, LIST_SETTINGS)
    const pool = poolOf('webhooks', REST_POOL_MAX + TESTS_READING)
    const auth = startAuthenticator(config, { ...deps, name: 'api', releasers })
    const gate = createTenantGate({ placesMax: EVENTS_POOL_MAX, waitingMax: EVENTS_WAITING_MAX })
    const tests = createTenantGate({ placesMax: TESTS_MAX, waitingMax: TESTS_WAITING_MAX })
    const egress = createEgress({ policy })
    releasers.add('egress', egress.close)
    // It dials when dead letters are asked for, and not before.
    const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-api', log })
    releasers.add('kafka', () => kafka.close())
    const letters = createTenantGate({ placesMax: LETTERS_MAX, waitingMax: LETTERS_WAITING_MAX })
    const rest = createTenantGate({ placesMax: REST_POOL_MAX, waitingMax: REST_WAITING_MAX })
    const writes = createWrites({ pool, keyring })
    const paced = createWritePace({ perS: config.ADMIN_WRITES_PER_S, burst: 2 * config.ADMIN_WRITES_PER_S })
    const routes = withWritePace(paced, {
      listEventTypes: createListEventTypes(),
      listEvents: createListEvents({ pool: events, rest: pool, gate, cursors }),
      getEvent: createGetEvent({ pool: events, rest: pool, gate }),
      findDeliveries: createFindDeliveries({ pool: events, gate, cursors }),
      testWebhook: createTestWebhook({ pool, keyring, egress, gate: tests, log, tracing }),
      ...withTenantGate(letters, {
        listDeadLetters: createListDeadLetters({ kafka, topic: config.KAFKA_DLQ_TOPIC, cursors }),
      }),
      ...withTenantGate(rest, {
        listWebhooks: createListWebhooks({ pool, cursors }),
        getWebhook: createGetWebhook({ pool }),
        getWebhookStats: createGetWebhookStats({ pool }),
        listReplays: createListReplays({ pool, cursors }),
        getReplay: createGetReplay({ pool }),
        cancelReplay: createCancelReplay({ pool }),
        listDeliveries: createListDeliveries({ pool, cursors }),
        getDelivery: createGetDelivery({ pool }),
        getRedelivery: createGetRedelivery({ pool }),
        cancelRedelivery: createCancelRedelivery({ pool }),
        ...createApiKeyHandlers({ pool, cursors }),
        ...createTenantHandlers({ pool, cursors }),
        listAuditEntries: createListAuditEntries({ pool, cursors }),
        ...writes({
          createWebhook: createCreateWebhook({ keyring, policy }),
          updateWebhook: createUpdateWebhook({ keyring, policy }),
          deleteWebhook: createDeleteWebhook({ pool }),
          rotateWebhookSecret: createRotateSecret({ keyring }),
          createReplay: createCreateReplay(),
          redeliver: createRedeliver(),
          createRedelivery: createCreateRedelivery(),
          ...createApiKeyWrites(),
          ...createTenantWrites(),
        }),
      }),
    })
    const open = createDocumentHandlers(Object.keys(routes))
    const router = createExpressApp({ log, metrics, tracing, auth, routes, open })
    return { name: 'api', router, ready: () => readinessOf(auth), close: () => releasers.close() }
  } catch (error) {
    await releasers.close()
    throw error
  }
}

function createServicePool(
  config: ApiConfig,
  log: Logger,
  o: { readonly name: string; readonly max: number; readonly settings: Readonly<Record<string, string>> },
): Pool {
  return createPool({
    ...databaseConnection(config),
    applicationName: `ariftly-api ${o.name}`,
    role: SERVICE_ROLE,
    max: o.max,
    statementTimeoutMs: 5_000,
    settings: o.settings,
    onError: (error) => log.warn({ err: error, pool: o.name }, 'a connection to Postgres was lost'),
  })
}

/** Starting until the feed of keys was read once; then ready, and a Postgres that is away is only named. */
function readinessOf(auth: Authenticator): Readiness {
  return { ready: auth.ready, checks: { postgres: auth.state } }
}
