import { setImmediate as immediate } from 'node:timers/promises'
import { recordId, type RawRecord } from '@ariftly/events'
import type { HandleOutcome, LogBatch, RecordView } from '@ariftly/kafka'
import { traceBatch, type Tracing } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { KEPT_MS, ensureDeliveryPartitions, readDeliveriesKeptFrom } from './delivery-partitions.ts'
import type { MatchedWrite, PassedPart } from './insert-deliveries.ts'
import { matchRecords, type Matched } from './match-records.ts'
import type { ProjectionWatch } from './projection-watch.ts'
import { createPartWriter } from './part-writer.ts'
import { headerText } from './record-attributes.ts'
import type { CachedSubscriptions, SubscriptionCache } from './subscription-cache.ts'
import type { TenantPairs } from './tenant-pairs.ts'

/** Name of the matcher's rows in `projection_offsets`. */
export const WEBHOOKS_PROJECTION = 'webhooks'

/** Dependencies of the matcher. */
export interface MatcherOptions {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  readonly projection: ProjectionWatch
  readonly subscriptions: SubscriptionCache
  /** Counts what each tenant has matched at once. */
  readonly tenantPairs: TenantPairs
  /** Whether matching has used up its time in this tick of the event loop. */
  readonly isTickOver: () => boolean
  /** Called when tenants have records that are to be matched later. */
  readonly onDeferred: () => void
  /** Called after each commit with the webhooks that have new deliveries. */
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
  readonly now?: () => number
  /** The consumer group, for traces. */
  readonly group: string
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
}

const WEEK_MS = 7 * 86_400_000
/**
 * Pairs of a webhook and a record that one statement writes: about 0.1 s of Postgres and 10 ms of this thread, for any number of
 * webhooks of a tenant. A record that alone has more is left to the backlog of its tenant.
 */
const PAIRS_MAX = 1_000
/**
 * Pairs that one tenant has in a window of `TenantPairs`: 3,000 a second, which is more than a worker delivers, and 30 ms of Postgres
 * for a burst. What its payload filters cost counts too. Its other records are matched later, together with those of others.
 */
const TENANT_PAIRS_MAX = 300

/** Consecutive records of one partition, all of them projected. */
interface Part {
  readonly partition: number
  readonly firstOffset: number
  readonly records: readonly RecordView[]
  /** The offset that follows the part. */
  readonly next: number
}

/**
 * Creates the handler that makes deliveries from records. It stays behind the projection of events. A batch is written in parts
 * of at most 1,000 deliveries; a part ends early when matching has used up its time in a tick of the event loop. One
 * statement covers a part, or small parts of several partitions: position (compare-and-set, so a stalled second matcher
 * can never write), projection, version of the webhooks, deliveries, and the records that are left for later because their
 * tenant has had its share. So a delivery's event always exists, and each record is matched exactly once. Between two
 * parts other partitions and other work of the process can run.
 */
export function createMatcher(o: MatcherOptions): (batch: LogBatch, signal: AbortSignal) => Promise<HandleOutcome> {
  const matcher = new Matcher(o)
  return function matchBatch(batch, signal) {
    return matcher.match(batch, signal)
  }
}

class Matcher {
  readonly #o: MatcherOptions
  readonly #now: () => number
  readonly #writePart: ReturnType<typeof createPartWriter>
  /** Weeks, counted from 1970, whose partitions of deliveries exist. */
  readonly #ensuredWeeks = new Set<number>()
  /** By partition, tenants that may have a backlog. */
  readonly #backlogged = new Map<number, Set<string>>()

  constructor(o: MatcherOptions) {
    this.#o = o
    this.#now = o.now ?? Date.now
    this.#writePart = createPartWriter({ ...o, projection: WEBHOOKS_PROJECTION })
  }

  async match(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome> {
    const { projection } = this.#o
    const { partition, records, lastOffset } = batch
    let expected = batch.firstOffset
    while (expected <= lastOffset) {
      const projected = await projection.beyond(partition, expected, signal)
      const next = Math.min(projected, lastOffset + 1)
      const waiting = records.filter((record) => record.offset >= expected && record.offset < next)
      const written = await this.#writeFirst({ partition, firstOffset: expected, records: waiting, next })
      if (written === 'moved') return { type: 'reread' }
      if (written === 'not_projected') projection.forget(partition)
      else expected = written
    }
    return { type: 'done' }
  }

  /** Writes the deliveries of the first records, as many as one statement may; returns the offset that is next. */
  async #writeFirst(part: Part): Promise<number | 'moved' | 'not_projected'> {
    const oldestMs = await this.#oldestMs(part.records)
    await this.#ensurePartitions(part.records, oldestMs)
    let subscriptions = this.#o.subscriptions.current
    let version = subscriptions?.version
    for (;;) {
      if (subscriptions === undefined) {
        // Read after these records: a webhook that is newer than this list was answered after they were appended.
        subscriptions = await this.#o.subscriptions.reload()
        version = undefined
      }
      const { outcome, advance, matched } = await this.#write(part, oldestMs, subscriptions, version)
      if (outcome.type === 'written') {
        this.#reportWritten(part, matched, outcome)
        return advance.next
      }
      if (outcome.type === 'moved' || outcome.type === 'not_projected') return outcome.type
      if (outcome.type === 'backlogged') for (const tenant of outcome.tenants) this.#backloggedIn(part).add(tenant)
      else subscriptions = undefined
    }
  }

  async #write(part: Part, oldestMs: number, { index }: CachedSubscriptions, webhooksVersion: number | undefined) {
    const { isTickOver, tenantPairs } = this.#o
    const { partition, records } = part
    // One statement covers parts of several partitions: all of them continue in the same tick.
    while (isTickOver()) await immediate()
    const matched = matchRecords(index, records, {
      oldestMs,
      pairsMax: PAIRS_MAX,
      tenantPairsMax: TENANT_PAIRS_MAX,
      spent: tenantPairs.spent,
      backlogged: this.#backloggedIn(part),
      isTickOver,
    })
    const advance = advanceOf(part, matched)
    const { matches, deferred, filterCosts } = matched
    for (const [tenant, cost] of filterCosts) tenantPairs.add(tenant, cost)
    // Counted before they are written: other partitions are matched meanwhile.
    for (const { tenant, webhookIds } of matches) tenantPairs.add(tenant, webhookIds.length)
    const outcome = await traceMatch(this.#o, partition, records.slice(0, matched.taken), () =>
      this.#writePart({ partition, matches, advance, deferred, webhooksVersion }),
    )
    if (outcome.type !== 'written') {
      for (const { tenant, webhookIds } of matches) tenantPairs.add(tenant, -webhookIds.length)
    }
    return { outcome, advance, matched }
  }

  #reportWritten(part: Part, { matches, deferred }: Matched, written: MatchedWrite & { type: 'written' }): void {
    const webhookIds = new Set<string>()
    for (const match of matches) {
      for (const id of match.webhookIds) webhookIds.add(id)
    }
    // Of a tenant whose backlog was worked off meanwhile, the next records may be matched at once again.
    for (const tenant of written.opened) this.#backloggedIn(part).delete(tenant)
    if (deferred.size > 0) this.#o.onDeferred()
    if (written.deliveries > 0) this.#o.onMatched(webhookIds, written.deliveries)
  }

  #backloggedIn({ partition }: Part): Set<string> {
    const tenants = this.#backlogged.get(partition) ?? new Set<string>()
    this.#backlogged.set(partition, tenants)
    return tenants
  }

  /** The append time of the oldest records to match. Postgres decides it; it is asked only if a record is too old by our own clock. */
  async #oldestMs(records: readonly RawRecord[]): Promise<number> {
    const byClockMs = this.#now() - KEPT_MS
    const isYoung = records.every(({ timestampMs }) => timestampMs >= byClockMs)
    return isYoung ? byClockMs : await readDeliveriesKeptFrom(this.#o.pool)
  }

  async #ensurePartitions(records: readonly RawRecord[], oldestMs: number): Promise<void> {
    for (const { timestampMs } of records) {
      const week = Math.floor(timestampMs / WEEK_MS)
      if (this.#ensuredWeeks.has(week) || timestampMs < oldestMs) continue
      // A week counted from 1970 spans two partitions, which begin on Mondays: both are created.
      await ensureDeliveryPartitions(this.#o.pool, { minMs: week * WEEK_MS, maxMs: (week + 1) * WEEK_MS })
      this.#ensuredWeeks.add(week)
    }
  }
}

async function traceMatch(
  { tracing, topic, group }: Pick<MatcherOptions, 'tracing' | 'topic' | 'group'>,
  partition: number,
  records: readonly RawRecord[],
  match: () => Promise<MatchedWrite>,
): Promise<MatchedWrite> {
  return await traceBatch(
    tracing,
    {
      operation: 'match',
      topic,
      partition,
      group,
      records,
      traceparentOf: (record) => headerText(record, 'traceparent'),
      describe: (record) => ({
        tenant: headerText(record, 'ce_tenant') ?? '',
        id: headerText(record, 'ce_id') ?? '',
        type: headerText(record, 'ce_type') ?? '',
        offset: record.offset,
      }),
    },
    match,
    ({ type }) => (type === 'written' ? undefined : type === 'moved' ? 'position_moved' : type),
  )
}

function advanceOf({ firstOffset, records, next }: Part, { taken }: Matched): PassedPart['advance'] {
  const last = records.slice(0, taken).findLast((record) => recordId(record) !== undefined)
  return {
    expected: firstOffset,
    next: records[taken]?.offset ?? next,
    lastOffset: last?.offset ?? null,
    lastId: last === undefined ? null : (recordId(last) ?? null),
  }
}
