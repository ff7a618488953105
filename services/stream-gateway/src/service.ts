import { TenantTurns } from '@ariftly/async'
import { LIMITS } from '@ariftly/events'
import { startAuthenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createRouter } from '@ariftly/http'
import { createKafka } from '@ariftly/kafka'
import { createKeyring } from '@ariftly/keyring'
import {
  databaseConnection,
  kafkaConnection,
  withReleasers,
  type Readiness,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import type { StreamGatewayConfig } from './config.ts'
import { UnsentBudget } from './streams/unsent-budget.ts'
import { createStreamTokenHandler } from './routes/create-stream-token.ts'
import { debugStreams } from './routes/debug.ts'
import { readEpochs, type EpochFollower } from './log/follow-epochs.ts'
import { createOpenStream } from './routes/open-stream.ts'
import { createStreamIds } from './frames/stream-id.ts'
import { registerStreamMetrics } from './routes/stream-metrics.ts'
import { createStreams, type Streams } from './streams/streams.ts'
import { TenantStreamCounts } from './streams/tenant-stream-counts.ts'

export { streamGatewayConfig, type StreamGatewayConfig } from './config.ts'

/** History pages that are read at the same time; each may hold a megabyte. */
const HISTORY_READS_MAX = 6
/** Streams that are ended in a second of draining, when DRAIN_MS leaves the time. */
const DRAIN_PER_S = 1000

/**
 * Starts the stream epochs. It returns at once and waits for Kafka and Postgres inside; until it has passed the log's end
 * as it was at the start it is not ready.
 */
export async function start(config: StreamGatewayConfig, deps: ServiceDeps & SharedAuthenticator): Promise<Running> {
  const { log, metrics, tracing } = deps
  return await withReleasers(log, async (releasers) => {
    const keyring = createKeyring(config.ENCRYPTION_KEYS)
    const ids = createStreamIds(keyring)
    const pool = createPool({
      ...databaseConnection(config),
      role: SERVICE_ROLE,
      applicationName: 'ariftly-stream-gateway',
      max: 8,
    })
    releasers.add('pool', () => pool.end())
    const watchPool = createPool({
      ...databaseConnection(config),
      role: SERVICE_ROLE,
      applicationName: 'ariftly-stream-gateway-watch',
      max: 3,
      statementTimeoutMs: 2000,
    })
    releasers.add('watch pool', () => watchPool.end())
    const auth = startAuthenticator(config, { ...deps, name: 'stream-gateway', releasers })

    const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-stream-gateway', log })
    releasers.add('kafka', () => kafka.close())
    const budget = new UnsentBudget(config.STREAMS_UNSENT_BYTES_MAX)
    const epochs: EpochFollower = readEpochs({
      config,
      kafka,
      pool,
      watchPool,
      ids,
      log,
      metrics,
      tracing,
      budget,
      historyTurns: new TenantTurns({ placesMax: HISTORY_READS_MAX }),
      closeStream: (subscriber, why) => streams.closeStream(subscriber, why),
      onEnded: () => streams.endAll('log_changed'),
    })
    releasers.add('epochs', () => epochs.close())
    const streams: Streams = createStreams({
      epochReader: () => epochs.epochReader,
      budget,
      heartbeatMs: config.STREAM_HEARTBEAT_MS,
      stallMs: config.STREAM_STALL_MS,
      historyMs: LIMITS.historyMsMax,
      log,
      random: Math.random,
    })
    releasers.add('streams', () => streams.close())
    releasers.add('revocations', auth.onRevoked(streams.endKey))
    registerStreamMetrics(metrics, epochs, streams, budget)

    const tenantCounts = new TenantStreamCounts({
      pool: watchPool,
      log,
      countHere: (tenant) => streams.registry.countOfTenant(tenant),
    })
    releasers.add('stream counts', () => tenantCounts.close())

    let draining = false
    let wasReady = false
    const openStream = createOpenStream({
      auth,
      ids,
      sealer: keyring,
      streams,
      epochReader: () => epochs.epochReader,
      isDraining: () => draining,
      streamsMax: config.STREAMS_MAX,
      streamsPerKeyMax: config.STREAMS_PER_KEY_MAX,
      streamsPerTenantMax: config.STREAMS_PER_TENANT_MAX,
      streamsElsewhere: (tenant) => tenantCounts.elsewhere(tenant),
    })
    const router = createRouter({
      handlers: {
        streamEvents: openStream,
        streamEventsByForm: openStream,
        createStreamToken: createStreamTokenHandler({ auth, sealer: keyring, now: Date.now }),
      },
      log,
      metrics,
      tracing,
      corsOrigins: config.CORS_ORIGINS,
    })

    function ready(): Readiness {
      const { epochReader } = epochs
      const failure = epochReader?.reader.failure
      if (epochReader !== undefined && failure === undefined && epochReader.caughtUp()) wasReady = true
      else if (epochReader === undefined || failure !== undefined) wasReady = false
      return {
        ready: wasReady && !draining,
        checks: {
          log: failure?.message ?? epochs.trouble ?? (epochReader?.caughtUp() === true ? 'ok' : 'catching up'),
          projection: epochReader?.watch.state() ?? 'not read yet',
          keys: auth.state,
        },
      }
    }

    async function drain(): Promise<void> {
      draining = true
      await streams.drain(Math.min(config.DRAIN_MS * 0.6, (streams.registry.size / DRAIN_PER_S) * 1000))
    }

    return {
      name: 'stream-gateway',
      router,
      ready,
      debug: { '/debug/streams': () => debugStreams(epochs, streams, budget) },
      drain,
      close: () => releasers.close(),
    }
  })
}
