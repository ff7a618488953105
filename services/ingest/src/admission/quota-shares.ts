import { randomUUID } from 'node:crypto'
import { databaseConnection, sleep, type Logger, type Releasers } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { removeReplica, renewReplica } from '@ariftly/store/replicas'
import type { IngestConfig } from '../config.ts'

/** How many processes share each quota. */
interface QuotaShares {
  /** The number that was counted last; 1 before the first count. */
  count(): number
  /** Stops counting, and takes this process out of the count of the others. */
  close(): Promise<void>
}

/** What {@link countQuotaShares} needs. */
interface QuotaSharesOptions {
  readonly pool: Pool
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Pause between two counts, milliseconds. */
  readonly everyMs?: number
}

/** Three renewals are missed before a process is taken to be gone (15 s). */
const EVERY_MS = 5_000
const SERVICE = 'ingest'

/**
 * Counts the ingest processes at work through the database: each renews a row every 5 s, and one that has not done so for 15 s
 * has gone. While Postgres is away the last count holds. No request waits for this.
 */
function countQuotaShares({ pool, log, everyMs = EVERY_MS }: QuotaSharesOptions): QuotaShares {
  const closing = new AbortController()
  const own = { service: SERVICE, replica: randomUUID() }
  let count = 1
  let failing = false
  const ended = countForEver()

  async function countForEver(): Promise<void> {
    while (!closing.signal.aborted) {
      await countOnce()
      await sleep(everyMs, closing.signal)
    }
  }

  async function countOnce(): Promise<void> {
    try {
      const counted = await renewReplica(pool, own)
      if (counted !== count) log.info({ replicas: counted }, 'the number of processes that share the quotas changed')
      count = counted
      failing = false
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the processes that share the quotas cannot be counted')
      failing = true
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    await ended
    await removeReplica(pool, own).catch((error: unknown) => {
      log.warn({ err: error }, 'this process is counted for 15 s more')
    })
  }

  return { count: () => count, close }
}

/** How many processes share each quota: the setting, or as counted. */
export function startQuotaShares(
  config: IngestConfig,
  { log, releasers }: { readonly log: Logger; readonly releasers: Releasers },
): () => number {
  const { QUOTA_SHARES: fixed } = config
  if (fixed !== 'auto') return () => fixed
  const pool = createPool({
    ...databaseConnection(config),
    applicationName: 'ariftly-ingest shares',
    role: SERVICE_ROLE,
    max: 1,
    statementTimeoutMs: 2000,
    onError: (error) => log.warn({ err: error, pool: 'shares' }, 'a connection to Postgres was lost'),
  })
  releasers.add('pool of shares', () => pool.end())
  const shares = countQuotaShares({ pool, log })
  releasers.add('shares', () => shares.close())
  return () => shares.count()
}
