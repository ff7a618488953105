import type { RequestListener } from 'node:http'
import { TenantTurns } from '@ariftly/fairness'
import { startAuthenticator, type Authenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createRouter, createStreamIds } from '@ariftly/http'
import { createKafka } from '@ariftly/kafka'
import { createKeyring } from '@ariftly/keyring'
import { kafkaConnection, withReleasers, type Running, type ServiceDeps } from '@ariftly/runtime'
import { watchRetention } from '@ariftly/store/retention'
import type { StreamGatewayConfig } from './config.ts'
import { readEpochs, type EpochFollower } from './epochs/follow-epochs.ts'
import { UnsentBudget } from './hub/unsent-budget.ts'
import { openPools } from './open-pools.ts'
import { createStreamTokenHandler } from './routes/create-stream-token.ts'
import { createOpenStream, type OpenStreamOptions } from './routes/open-stream.ts'
import { createReadiness } from './routes/readiness.ts'
import { registerStreamMetrics } from './routes/stream-metrics.ts'
import { Streams } from './streams/streams.ts'
import { TenantStreamCounts } from './streams/tenant-stream-counts.ts'

/** History pages that are read at the same time, of all tenants and of one; each may hold a megabyte. */
const HISTORY_READS = { concurrencyMax: 6, perTenantMax: 2 } as const
/** Pause between heartbeats of a stream. */
const HEARTBEAT_MS = 15_000
const STREAMS_PER_KEY_MAX = 10_000

export { streamGatewayConfig } from './config.ts'

interface StreamGatewayDeps extends ServiceDeps, SharedAuthenticator {
  /** Open streams of one API key in this process, beyond which it gets 429; default 10,000. */
  readonly streamsPerKeyMax?: number
}

/**
 * Starts the stream gateway. Resolves without waiting for Kafka or Postgres; the gateway is not ready until it has passed
 * the log's end at start-up.
 */
export async function start(config: StreamGatewayConfig, deps: StreamGatewayDeps): Promise<Running> {
  const { log, metrics, backends, tracing } = deps
  return await withReleasers(log, async (releasers) => {
    const keyring = createKeyring(config.ENCRYPTION_KEYS)
    const ids = createStreamIds(keyring)
    const pools = openPools(config, releasers)
    const retention = watchRetention({ db: pools.watchPool, log })
    releasers.add('retention', () => retention.close())
    const historyMs = (): number => retention.current().eventsMs
    const auth = startAuthenticator(config, { ...deps, name: 'stream-gateway', releasers })
    const watch = { backend: backends.kafka, topic: config.KAFKA_TOPIC }
    const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-stream-gateway', log, watch })
    releasers.add('kafka', () => kafka.close())

    const budget = new UnsentBudget(config.STREAMS_UNSENT_BYTES_MAX)
    const epochs: EpochFollower = readEpochs({
      ...pools,
      historyMs,
      config,
      kafka,
      ids,
      log,
      metrics,
      tracing,
      budget,
      historyTurns: new TenantTurns(HISTORY_READS),
      closeStream: (subscriber, why) => streams.closeStream(subscriber, why),
      onEnded: () => streams.endAll('log_changed'),
    })
    releasers.add('epochs', () => epochs.close())
    const epochReader = () => epochs.epochReader
    const streams: Streams = new Streams({
      epochReader,
      budget,
      heartbeatMs: HEARTBEAT_MS,
      historyMs,
      log,
      random: Math.random,
    })
    releasers.add('streams', () => streams.close())
    releasers.add(
      'revocations',
      auth.onRevoked((stopped) => streams.endStopped(stopped)),
    )
    registerStreamMetrics(metrics, epochs, streams, budget)

    const countHere = (tenant: string) => streams.registry.countOfTenant(tenant)
    const tenantCounts = new TenantStreamCounts({ pool: pools.watchPool, log, countHere })
    releasers.add('stream counts', () => tenantCounts.close())
    releasers.add(
      'tenant updates',
      auth.onTenantUpdated((tenant) => tenantCounts.onTenantUpdated(tenant)),
    )

    const readiness = createReadiness({ epochs, auth, backends })
    const router = routesOf(config, deps, {
      auth,
      ids,
      sealer: keyring,
      streams,
      epochReader,
      isOtherLog: () => epochs.isOtherLog,
      isDraining: () => readiness.isDraining,
      streamsElsewhere: (tenant) => tenantCounts.elsewhere(tenant),
    })

    return {
      name: 'stream-gateway',
      router,
      ready: () => readiness.read(),
      async drain() {
        readiness.startDraining()
        await streams.drain(config.DRAIN_MS)
      },
      close: () => releasers.close(),
    }
  })
}

type RouteParts = Omit<OpenStreamOptions, 'streamsMax' | 'streamsPerKeyMax' | 'streamsPerTenantMax'> & {
  readonly auth: Authenticator
}

function routesOf(config: StreamGatewayConfig, deps: StreamGatewayDeps, o: RouteParts): RequestListener {
  const { log, metrics, tracing } = deps
  const openStream = createOpenStream({
    ...o,
    streamsMax: config.STREAMS_MAX,
    streamsPerKeyMax: deps.streamsPerKeyMax ?? STREAMS_PER_KEY_MAX,
    streamsPerTenantMax: config.STREAMS_PER_TENANT_MAX,
  })
  const createStreamToken = createStreamTokenHandler({ auth: o.auth, sealer: o.sealer, now: Date.now })
  return createRouter({
    handlers: { streamEvents: openStream, streamEventsByForm: openStream, createStreamToken },
    log,
    metrics,
    tracing,
    corsOrigins: config.CORS_ORIGINS,
  })
}
