import { fileURLToPath } from 'node:url'
import { createEgress, createEgressPolicy } from '@ariftly/egress'
import { startAuthenticator, type Authenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createExpressApp } from '@ariftly/http/express'
import { createKafka } from '@ariftly/kafka'
import { createKeyring } from '@ariftly/keyring'
import {
  databaseConnection,
  kafkaConnection,
  withReleasers,
  type Backends,
  type Logger,
  type Readiness,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import type { ApiConfig } from './config.ts'
import { createApiRoutes, EVENTS_POOL_MAX, REST_POOL_MAX } from './create-api-routes.ts'
import { createDocumentHandlers } from './documents/document-handlers.ts'

export { apiConfig } from './config.ts'

/** The build of `packages/console` by `npm run build`. */
const CONSOLE_FOLDER = fileURLToPath(new URL('../../../packages/console/dist/app', import.meta.url))
/** Connections for tests of webhooks, which only read their webhook before they are under way. */
const TESTS_READING = 2

/**
 * Starts the api: events, webhooks, deliveries and API keys from Postgres, dead letters from Kafka. Resolves without waiting
 * for backends; while Postgres is unavailable it answers 503. Events, keys and the rest have separate connections, so slow
 * lists do not delay the others.
 */
export async function start(config: ApiConfig, deps: ServiceDeps & SharedAuthenticator): Promise<Running> {
  const { log, metrics, backends, tracing } = deps
  return await withReleasers(log, async (releasers) => {
    const poolOf = (name: string, max: number, settings: Readonly<Record<string, string>> = {}): Pool => {
      const pool = createServicePool(config, log, { name, max, settings })
      releasers.add(`pool ${name}`, () => pool.end())
      return pool
    }
    const keyring = createKeyring(config.ENCRYPTION_KEYS)
    const policy = createEgressPolicy({
      allowHttp: config.WEBHOOK_ALLOW_HTTP,
      allowCidrs: config.WEBHOOK_ALLOW_CIDRS,
    })
    const events = poolOf('events', EVENTS_POOL_MAX, LIST_SETTINGS)
    const pool = poolOf('webhooks', REST_POOL_MAX + TESTS_READING)
    const auth = startAuthenticator(config, { ...deps, name: 'api', releasers })
    const egress = createEgress({ policy })
    releasers.add('egress', egress.close)
    const watch = { backend: backends.kafka, topic: config.KAFKA_DLQ_TOPIC }
    const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-api', log, watch })
    releasers.add('kafka', () => kafka.close())
    const routes = createApiRoutes({ config, events, pool, keyring, policy, egress, kafka, log, tracing })
    const open = createDocumentHandlers(Object.keys(routes), {
      securityContact: config.SECURITY_CONTACT,
      console: config.CONSOLE === 'on' ? CONSOLE_FOLDER : undefined,
    })
    const router = createExpressApp({ log, metrics, tracing, auth, routes, open, corsOrigins: config.CORS_ORIGINS })
    return { name: 'api', router, ready: () => readinessOf(auth, backends), close: () => releasers.close() }
  })
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

/** Not ready until the key feed was read once; then ready, and an unavailable backend is only named. */
function readinessOf(auth: Authenticator, backends: Backends): Readiness {
  return { ready: auth.ready, checks: { keys: auth.state, ...backends.statesOf('kafka', 'postgres') } }
}
