import { startAuthenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createRouter, type HttpService } from '@ariftly/http'
import { createFastPath } from '@ariftly/http-fast-path'
import { withReleasers, type Readiness, type Releasers, type ServiceDeps } from '@ariftly/runtime'
import type { IngestConfig } from './config.ts'
import { MemoryBudget } from './admission/memory-budget.ts'
import { createIngestMetrics } from './metrics.ts'
import { openLog, type OpenLog } from './log/open-log.ts'
import { BODY_BYTES_MAX, createFastPostEvents, createPostEvents } from './request/post-events.ts'
import { createPostPipeline } from './request/post-pipeline.ts'
import { createQuotas } from './admission/quota.ts'
import { startQuotaShares } from './admission/quota-shares.ts'
import { createBodyReader } from './request/request-body.ts'
import { ValidationQueue } from './request/validation-queue.ts'

export { ingestConfig } from './config.ts'

/** Time for a complete body; otherwise 408. */
const BODY_TIMEOUT_MS = 30_000
/** How long the start waits for Kafka's first answer; after that it continues without. */
const FIRST_ANSWER_MS = 3000

/**
 * Starts ingest: `POST /v1/events` to Kafka. Waits for backends in the background; until Kafka has answered, and while the
 * topic is not the current epoch's, events get 503. Ready from the first time that the topic is the current epoch's.
 */
export async function start(config: IngestConfig, deps: ServiceDeps & SharedAuthenticator): Promise<HttpService> {
  return await withReleasers(deps.log, async (releasers) => await compose(config, deps, releasers))
}

async function compose(
  config: IngestConfig,
  deps: ServiceDeps & SharedAuthenticator,
  releasers: Releasers,
): Promise<HttpService> {
  const { log, metrics, backends, tracing } = deps
  const authenticator = startAuthenticator(config, { ...deps, name: 'ingest', releasers })
  const budget = new MemoryBudget(config.INGEST_BUFFER_BYTES_MAX)
  const measures = createIngestMetrics(metrics, () => budget.usedBytes)
  const opened = openLog(config, deps, { releasers, onSend: measures.sent })
  const { eventLog, skew, historyMs } = opened
  const bodies = createBodyReader({ bytesMax: BODY_BYTES_MAX, timeoutMs: BODY_TIMEOUT_MS })
  releasers.add('body clock', () => bodies.close())
  const quotas = createQuotas({ shares: startQuotaShares(config, { log, releasers }) })
  const answerPost = createPostPipeline({
    authenticator,
    quotas,
    budget,
    validations: new ValidationQueue(),
    log: eventLog,
    isOtherLog: () => opened.gate.isOtherLog,
    count: measures.counted,
    clock: skew,
    historyMs,
  })
  const corsOrigins = config.CORS_ORIGINS
  const postEvents = createPostEvents(answerPost, { bodies, onPost: () => measures.posted('node_http') })
  const router = createRouter({ handlers: { postEvents }, log, metrics, tracing, corsOrigins })
  const handler = createFastPostEvents(answerPost, () => measures.posted('fast_path'))
  const connectionFront = config.INGEST_FAST_PATH
    ? createFastPath({ route: 'postEvents', handler, log, metrics, tracing, corsOrigins })
    : undefined

  await Promise.race([firstAnswer(opened), wait(FIRST_ANSWER_MS)])

  function ready(): Readiness {
    const clock = skew.isBeyond ? 'more than a minute off a broker' : 'ok'
    const checks = {
      log: stateOf(opened, config.KAFKA_PARTITIONS),
      clock,
      keys: authenticator.state,
      ...backends.statesOf('kafka', 'postgres'),
    }
    // Once it has opened: with all replicas unready a client would have no answer with the ids of its events.
    const hasOpened = opened.gate.identity !== undefined
    return { ready: hasOpened && opened.breaker.started && authenticator.ready, checks }
  }

  return { name: 'ingest', router, connectionFront, ready, close: () => releasers.close() }
}

async function firstAnswer({ gate, breaker }: OpenLog): Promise<void> {
  await gate.opened
  await breaker.ask()
}

function stateOf({ gate, breaker }: OpenLog, partitions: number): string {
  if (gate.trouble !== undefined) return gate.trouble
  if (!breaker.started) return 'starting'
  const { openPartitions } = breaker
  if (openPartitions === 0) return 'ok'
  return openPartitions === partitions ? 'unavailable' : `${openPartitions} of ${partitions} partitions unavailable`
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
