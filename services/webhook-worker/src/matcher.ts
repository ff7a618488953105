import { recordId, type RawRecord } from '@ariftly/events'
import type { HandleOutcome, LogBatch } from '@ariftly/kafka'
import { traceBatch, type Tracing } from '@ariftly/runtime'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import {
  advanceWithDeliveries,
  ensureDeliveryPartitions,
  insertDeliveries,
  readSubscriptions,
  readWebhooksVersion,
  type MatchedEvent,
} from '@ariftly/store/deliveries'
import { advancePosition, type PositionAdvance } from '@ariftly/store/projection'
import { matchRecords } from './match-records.ts'
import type { ProjectionWatch } from './projection-watch.ts'
import { headerText } from './record-attributes.ts'
import { createSubscriptionIndex, type SubscriptionIndex } from './subscription-index.ts'

/** Name of the matcher's rows in `projection_offsets`. */
export const WEBHOOKS_PROJECTION = 'webhooks'

/** What the matcher needs. */
export interface MatcherOptions {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  readonly projection: ProjectionWatch
  /** Told after each commit which webhooks have new deliveries. */
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
  readonly now?: () => number
  /** The consumer group, for traces. */
  readonly group: string
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
}

/** Records appended longer ago than deliveries are kept cannot be delivered any more. */
const KEPT_MS = 35 * 86_400_000
const WEEK_MS = 7 * 86_400_000

/**
 * Makes the handler that turns records into deliveries. It stays below the projection of events, part of a batch after
 * part as that moves on. One transaction covers one part: position (compare-and-set: a stalled twin can never write),
 * version of the webhooks, deliveries. So a delivery's event always exists, and each is matched exactly once.
 */
export function createMatcher(o: MatcherOptions): (batch: LogBatch, signal: AbortSignal) => Promise<HandleOutcome> {
  const now = o.now ?? Date.now
  const ensuredWeeks = new Set<number>()
  let loaded: { readonly version: number; readonly index: SubscriptionIndex } | undefined

  return async function matchBatch(batch, signal) {
    let expected = batch.firstOffset
    while (expected <= batch.lastOffset) {
      const projected = await o.projection.beyond(batch.partition, expected, signal)
      const next = Math.min(projected, batch.lastOffset + 1)
      const part = batch.records.filter((record) => record.offset >= expected && record.offset < next)
      if (!(await traced(batch.partition, part, () => matchPart(batch.partition, expected, next, part)))) {
        return { type: 'reread' }
      }
      expected = next
    }
    return { type: 'done' }
  }

  async function traced(partition: number, part: readonly RawRecord[], match: () => Promise<boolean>) {
    return await traceBatch(
      o.tracing,
      {
        operation: 'match',
        topic: o.topic,
        partition,
        group: o.group,
        records: part,
        traceparentOf: (record) => headerText(record, 'traceparent'),
        describe: (record) => ({
          tenant: headerText(record, 'ce_tenant') ?? '',
          id: headerText(record, 'ce_id') ?? '',
          type: headerText(record, 'ce_type') ?? '',
          offset: record.offset,
        }),
      },
      match,
      (isOurs) => (isOurs ? undefined : 'position_moved'),
    )
  }

  async function matchPart(partition: number, expected: number, next: number, part: readonly RawRecord[]) {
    await ensurePartitions(part)
    const lastRecord = part.findLast((record) => recordId(record) !== undefined)
    const advance: PositionAdvance = {
      projection: WEBHOOKS_PROJECTION,
      epoch: o.epoch,
      topic: o.topic,
      partition,
      expected,
      next,
      lastOffset: lastRecord?.offset ?? null,
      lastId: lastRecord === undefined ? null : (recordId(lastRecord) ?? null),
    }
    const written = (await writeAsLoaded(advance, part)) ?? (await writeAfresh(advance, part))
    if (written === undefined) return false
    if (written.deliveries > 0) o.onMatched(written.webhookIds, written.deliveries)
    return true
  }

  /** In one statement, which does nothing when the webhooks are not those that were loaded, or the position is not ours. */
  async function writeAsLoaded(advance: PositionAdvance, part: readonly RawRecord[]): Promise<Written | undefined> {
    if (loaded === undefined) return undefined
    const { epoch, partition } = advance
    const matches = matchRecords(loaded.index, part, now() - KEPT_MS)
    const webhooksVersion = loaded.version
    const deliveries = await advanceWithDeliveries(o.pool, { advance, epoch, partition, matches, webhooksVersion })
    return deliveries === undefined ? undefined : writtenOf(deliveries, matches)
  }

  async function writeAfresh(advance: PositionAdvance, part: readonly RawRecord[]): Promise<Written | undefined> {
    return await withTransaction(o.pool, async (tx) => {
      if (!(await advancePosition(tx, advance))) return undefined
      const matches = matchRecords(await currentIndex(tx), part, now() - KEPT_MS)
      const { epoch, partition } = advance
      return writtenOf(await insertDeliveries(tx, { epoch, partition, matches }), matches)
    })
  }

  async function currentIndex(tx: Transaction): Promise<SubscriptionIndex> {
    const version = await readWebhooksVersion(tx)
    if (loaded === undefined || loaded.version !== version) {
      // Read after the version: the list may be newer than its number, then it is read once more, but never older.
      loaded = { version, index: createSubscriptionIndex(await readSubscriptions(tx)) }
    }
    return loaded.index
  }

  async function ensurePartitions(part: readonly RawRecord[]): Promise<void> {
    for (const { timestampMs } of part) {
      const week = Math.floor(timestampMs / WEEK_MS)
      if (ensuredWeeks.has(week) || timestampMs < now() - KEPT_MS) continue
      // A week by this count spans two of Postgres', which begin on Mondays: both are looked after.
      await ensureDeliveryPartitions(o.pool, { minMs: week * WEEK_MS, maxMs: (week + 1) * WEEK_MS })
      ensuredWeeks.add(week)
    }
  }
}

interface Written {
  readonly deliveries: number
  readonly webhookIds: ReadonlySet<string>
}

function writtenOf(deliveries: number, matches: readonly MatchedEvent[]): Written {
  return { deliveries, webhookIds: new Set(matches.map(({ webhookId }) => webhookId)) }
}
