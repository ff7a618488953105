import { backoffMs, sleep } from '@ariftly/async'
import { describeLog, logFault, type KafkaClient } from '@ariftly/kafka'
import { Fault, messageOf, type Logger, type Metrics } from '@ariftly/runtime'
import { withTransaction, type Pool } from '@ariftly/store'
import { currentEpoch } from '@ariftly/store/projection'
import {
  deleteTenantSlice,
  finishTenantDeletion,
  nextTenantDeletion,
  recordTenantLogEnds,
  type TenantDeletion,
} from '@ariftly/store/tenants'

/** What the deletion of tenants needs. */
export interface TenantDeletionsOptions {
  readonly pool: Pool
  readonly kafka: KafkaClient
  readonly topic: string
  readonly metrics: Metrics
  readonly log: Pick<Logger, 'info' | 'warn'>
}

/** Every process refuses the tenant's keys by then: they read the feed of keys every 250 ms. */
const REFUSED_MS = 2_000
/** Rows of one slice, about 50 ms of Postgres. */
const ROWS_MAX = 1_000
const IDLE_MS = 1_000
/** Pause until another process, or an older transaction, may be done. */
const WAIT_MS = 200
/** Shortest pause after a slice; else as long as the slice took, so that at most half of one connection is used. */
const PAUSE_MS = 10

/**
 * Deletes tenants in the background, slice by slice; any number of processes share the work, and one that is killed leaves at
 * most a slice to be done again. Returns how to stop it, after the step that is under way.
 *
 * For each tenant: wait until its keys are refused everywhere; record where the log ends, so that its records are read no more;
 * delete rows until none is left and no transaction is open that may add one; record the ends again, for posts that were on
 * their way to the log for longer; delete again; the tenant is gone.
 */
export function startTenantDeletions(o: TenantDeletionsOptions): () => Promise<void> {
  const { pool, log } = o
  const stopping = new AbortController()
  const rowsDeleted = o.metrics.counter({
    name: 'ariftly_projector_tenant_rows_deleted_total',
    help: 'Rows that were deleted with their tenant.',
  })

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        const pauseMs = await step()
        failures = 0
        await sleep(pauseMs, stopping.signal)
      } catch (error) {
        if (stopping.signal.aborted) return
        log.warn({ reason: messageOf(error) }, 'a tenant could not be deleted yet; tried again')
        await sleep(backoffMs(failures++), stopping.signal)
      }
    }
  }

  /** One step of one deletion; gives how long to wait before the next. */
  async function step(): Promise<number> {
    const deletion = await nextTenantDeletion(pool)
    if (deletion === undefined) return IDLE_MS
    if (deletion.refusedForMs < REFUSED_MS) return REFUSED_MS - deletion.refusedForMs
    if (deletion.logEndsRead === 0) {
      await recordEnds(deletion)
      return 0
    }
    const startedMs = performance.now()
    const slice = await withTransaction(pool, (tx) =>
      deleteTenantSlice(tx, { tenant: deletion.tenant, rowsMax: ROWS_MAX }),
    )
    if (slice.type === 'taken') return WAIT_MS
    rowsDeleted.inc(slice.rows)
    if (slice.rows > 0) return Math.max(PAUSE_MS, performance.now() - startedMs)
    if (!slice.settled) return WAIT_MS
    if (deletion.logEndsRead === 1) await recordEnds(deletion)
    else if (await withTransaction(pool, (tx) => finishTenantDeletion(tx, deletion.tenant)))
      log.info({ tenant: deletion.tenant }, 'a tenant was deleted')
    return 0
  }

  async function recordEnds({ tenant, logEndsRead }: TenantDeletion): Promise<void> {
    const { epoch, ends } = await readLogEnds(o)
    await withTransaction(pool, (tx) => recordTenantLogEnds(tx, { tenant, epoch, ends, readBefore: logEndsRead }))
  }

  const ended = run()
  return async function stop() {
    stopping.abort()
    await ended
  }
}

/** The log's present epoch and its ends. A log that is not the epoch's is waited for, as the projector does. */
async function readLogEnds({
  pool,
  kafka,
  topic,
}: TenantDeletionsOptions): Promise<{ epoch: number; ends: ReadonlyMap<number, number> }> {
  const epoch = await currentEpoch(pool, topic)
  if (epoch === undefined) throw new Fault({ code: 'no_epoch', message: `Topic ${topic} has no epoch: run migrate.` })
  const described = await describeLog(kafka, topic)
  const fault = logFault({ topic, identity: epoch }, described)
  if (fault !== undefined) throw fault
  return { epoch: epoch.epoch, ends: new Map(described.partitions.map(({ partition, logEnd }) => [partition, logEnd])) }
}
