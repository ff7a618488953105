import { startPoll } from '@ariftly/async'
import { databaseConnection, type Logger, type Releasers } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { RENEW_REPLICA_MS, Replica } from '@ariftly/store/replicas'
import type { IngestConfig } from '../config.ts'

/**
 * How many processes share each quota, which is the number of running ingest processes: each renews a row every 5 s and is dead
 * after 15 s without. 1 before the first count; while Postgres is unavailable the last count is used. No request waits
 * for this.
 */
export function startQuotaShares(
  config: IngestConfig,
  { log, releasers }: { readonly log: Logger; readonly releasers: Releasers },
): () => number {
  const pool = createPool({
    ...databaseConnection(config),
    applicationName: 'ariftly-ingest shares',
    role: SERVICE_ROLE,
    max: 1,
    statementTimeoutMs: 2000,
    onError: (error) => log.warn({ err: error, pool: 'shares' }, 'a connection to Postgres was lost'),
  })
  releasers.add('pool of shares', () => pool.end())
  const replica = new Replica(pool, 'ingest')
  let count = 1

  async function countShares(): Promise<void> {
    const counted = await replica.renew()
    if (counted !== count) log.info({ replicas: counted }, 'the number of processes that share the quotas changed')
    count = counted
  }

  const poll = startPoll({
    step: countShares,
    everyMs: RENEW_REPLICA_MS,
    log,
    failing: 'the processes that share the quotas cannot be counted',
  })
  releasers.add('shares', async () => {
    await poll.close()
    await replica
      .remove()
      .catch((error: unknown) =>
        log.warn(
          { err: error },
          'this process could not sign off: it counts for its share of the quotas for 15 s more',
        ),
      )
  })
  return () => count
}
