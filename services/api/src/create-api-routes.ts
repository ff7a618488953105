import { TenantTurns } from '@ariftly/fairness'
import type { Egress, EgressPolicy } from '@ariftly/egress'
import { createCursorCodec, createStreamIds, type ApiHandler, type RouteName } from '@ariftly/http'
import type { KafkaClient } from '@ariftly/kafka'
import type { Keyring } from '@ariftly/keyring'
import type { ServiceDeps } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import type { ApiConfig } from './config.ts'
import { createApiKeyHandlers, createApiKeyWrites } from './api-keys/api-keys.ts'
import { createListEventTypes } from './documents/list-event-types.ts'
import { createListDeadLetters } from './dead-letters/list-dead-letters.ts'
import { createGetDelivery, createRedeliver } from './deliveries/deliveries.ts'
import { createFindDeliveries, createListDeliveries } from './deliveries/list-deliveries.ts'
import { createGetEvent } from './events/get-event.ts'
import { createListEvents } from './events/list-events.ts'
import { createListAuditEntries } from './list-audit-entries.ts'
import { createCreateRedelivery, createRedeliveryHandlers } from './redeliveries/redeliveries.ts'
import { createCreateReplay, createReplayHandlers } from './replays/replays.ts'
import { createGetSystem } from './system/get-system.ts'
import { createListTasks } from './tasks/list-tasks.ts'
import { createTenantGate } from './tenant-gate.ts'
import { createTenantHandlers, createTenantWrites } from './tenants/tenants.ts'
import { createGetWebhookStats } from './webhooks/get-webhook-stats.ts'
import { createTestWebhook } from './webhooks/send-test.ts'
import { createWebhookHandlers, createWebhookWrites } from './webhooks/webhooks.ts'
import { withTenantGate } from './with-tenant-gate.ts'
import { createWritePace, withWritePace } from './writes/write-pace.ts'
import { createWrites } from './writes/create-writes.ts'

/** Connections that read events, and how many queries of one tenant may wait for one. */
export const EVENTS_POOL_MAX = 10
const EVENTS_WAITING_MAX = 100
/** The same for webhooks, deliveries and keys. */
export const REST_POOL_MAX = 6
const REST_WAITING_MAX = 200
/** Tests of webhooks under way, and how many more of one tenant may wait. */
const TESTS_MAX = 20
const TESTS_WAITING_MAX = 10
/** Reads of dead letters under way, and how many more of one tenant may wait. */
const DEAD_LETTERS_MAX = 2
const DEAD_LETTERS_WAITING_MAX = 4

/** Concurrent reads of the state of the system, which count backlogs, and how many more of one tenant may wait. */
const SYSTEM_MAX = 1
const SYSTEM_WAITING_MAX = 4

/** Dependencies of the routes. */
export interface ApiRoutesDeps extends Pick<ServiceDeps, 'log' | 'tracing'> {
  readonly config: Pick<ApiConfig, 'ADMIN_WRITES_PER_S' | 'KAFKA_DLQ_TOPIC'>
  /** Has {@link EVENTS_POOL_MAX} connections. */
  readonly events: Pool
  /** Has at least {@link REST_POOL_MAX} connections. */
  readonly pool: Pool
  readonly keyring: Keyring
  readonly policy: EgressPolicy
  readonly egress: Egress
  readonly kafka: KafkaClient
}

/**
 * Makes the handlers of all routes that need a key. Each group (lists of events, tests of webhooks, dead letters, the state of the system, the rest) has
 * its own gate, which bounds concurrent requests and shares them out among tenants. Administrative writes have a rate limit for
 * each tenant.
 */
export function createApiRoutes(deps: ApiRoutesDeps): Readonly<Partial<Record<RouteName, ApiHandler>>> {
  const { config, events, pool, keyring, policy, egress, kafka, log, tracing } = deps
  const cursors = createCursorCodec(keyring)
  const gate = createTenantGate({ concurrencyMax: EVENTS_POOL_MAX, waitingMax: EVENTS_WAITING_MAX })
  // One list of a tenant at a time reads deliveries.
  const turns = new TenantTurns({ concurrencyMax: EVENTS_POOL_MAX, perTenantMax: 1 })
  const tests = createTenantGate({ concurrencyMax: TESTS_MAX, waitingMax: TESTS_WAITING_MAX })
  const deadLetters = createTenantGate({ concurrencyMax: DEAD_LETTERS_MAX, waitingMax: DEAD_LETTERS_WAITING_MAX })
  const system = createTenantGate({ concurrencyMax: SYSTEM_MAX, waitingMax: SYSTEM_WAITING_MAX })
  const rest = createTenantGate({ concurrencyMax: REST_POOL_MAX, waitingMax: REST_WAITING_MAX })
  const writes = createWrites({ pool, keyring, log })
  const paced = createWritePace({ perS: config.ADMIN_WRITES_PER_S, burst: 2 * config.ADMIN_WRITES_PER_S })
  return withWritePace(paced, {
    listEventTypes: createListEventTypes(),
    listEvents: createListEvents({ pool: events, gate, turns, cursors }),
    getEvent: createGetEvent({ pool: events, gate, turns }),
    listTasks: createListTasks({ pool: events, gate, cursors }),
    findDeliveries: createFindDeliveries({ pool: events, gate, cursors }),
    listDeliveries: createListDeliveries({ pool: events, gate, cursors }),
    testWebhook: createTestWebhook({ pool, keyring, egress, gate: tests, log, tracing }),
    ...withTenantGate(deadLetters, {
      listDeadLetters: createListDeadLetters({ kafka, pool, topic: config.KAFKA_DLQ_TOPIC, cursors }),
    }),
    ...withTenantGate(system, { getSystem: createGetSystem({ pool }) }),
    ...withTenantGate(rest, {
      ...createWebhookHandlers({ pool, cursors }),
      getWebhookStats: createGetWebhookStats({ pool }),
      ...createReplayHandlers({ pool, cursors }),
      getDelivery: createGetDelivery({ pool }),
      ...createRedeliveryHandlers({ pool, cursors }),
      ...createApiKeyHandlers({ pool, cursors }),
      ...createTenantHandlers({ pool, cursors }),
      listAuditEntries: createListAuditEntries({ pool, cursors }),
      ...writes({
        ...createWebhookWrites({ pool, keyring, policy }),
        createReplay: createCreateReplay({ streamIds: createStreamIds(keyring) }),
        redeliver: createRedeliver(),
        createRedelivery: createCreateRedelivery(),
        ...createApiKeyWrites(),
        ...createTenantWrites(),
      }),
    }),
  })
}
