import { withTimeout } from '@ariftly/async'
import { eventIdMs, type LogEvent } from '@ariftly/events'
import { sleep } from '@ariftly/runtime'
import type { CopyCandidate } from '@ariftly/store/streams'
import type { IdIndex } from './id-index.ts'
import type { RecordState } from './ring.ts'

/** A record that is an event and that an open stream wants. */
export interface WantedRecord {
  readonly offset: number
  readonly event: LogEvent
}

/** What {@link createDuplicateCheck} needs. */
export interface DuplicateCheckOptions {
  readonly index: Pick<IdIndex, 'mayBeOlder'> & {
    /** The offset of an earlier record of the partition with this id, as far as this process knows. */
    find(partition: number, tenant: string, id: string): number | undefined
  }
  /** Which of the records Postgres knows an earlier one of, as indexes. */
  lookUp(partition: number, candidates: readonly CopyCandidate[]): Promise<ReadonlySet<number>>
  /** The look-up waits so long at most, ms. Default 2,000. */
  readonly waitMs?: number
  readonly now: () => number
  onOpened(error: unknown): void
}

/** Finds duplicates of events that are older than what this process remembers. */
export interface DuplicateCheck {
  /**
   * The states of records of one partition, by offset, as the index or Postgres knows: one look-up for all. Of one tenant at
   * most {@link CANDIDATES_PER_TENANT_MAX} are looked up; those beyond are `unchecked`.
   */
  find(
    partition: number,
    records: readonly WantedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, RecordState>>
  /**
   * Makes the look-up that failed again, if the breaker is open and no such trial is under way; no record waits for it. When it
   * succeeds, look-ups are made again. Never rejects.
   */
  retry(): Promise<void>
  /** Look-ups are not made now: records that need one are shown, and counted. */
  readonly isOpen: boolean
  /** Records that were shown without the look-up that they needed. */
  readonly unchecked: number
  /** Counts one more of those. */
  countUnchecked(): void
}

/** Of a tenant that posts more old events at once, streams are served from Postgres, which has no duplicates. */
export const CANDIDATES_PER_TENANT_MAX = 64
const PAUSE_MS = 100
const NONE: ReadonlySet<number> = new Set()

/**
 * An id whose time is within what the index remembers cannot have an older duplicate; the others are looked up. When Postgres
 * does not answer in time a breaker opens, and until a trial (`retry`) has succeeded such records are shown unchecked and
 * counted. Only a successful retry of the failed look-up closes the breaker.
 */
export function createDuplicateCheck(o: DuplicateCheckOptions): DuplicateCheck {
  const { index, now, waitMs = 2000 } = o
  /** The last look-up that was given up, while the breaker is open. */
  let failed: { readonly partition: number; readonly candidates: readonly CopyCandidate[] } | undefined
  let isTrying = false
  let unchecked = 0

  async function find(
    partition: number,
    records: readonly WantedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, RecordState>> {
    const states = new Map<number, RecordState>()
    const candidates: CopyCandidate[] = []
    const perTenant = new Map<string, number>()
    for (const { offset, event } of records) {
      const { tenant, id } = event
      // Noted now: while others are looked up, the index may forget this id, as Postgres has it by then.
      const earlier = index.find(partition, tenant, id)
      const isOlder = earlier === undefined && index.mayBeOlder(partition, eventIdMs(id))
      states.set(offset, earlier !== undefined ? 'hidden' : 'shown')
      if (!isOlder) continue
      const count = (perTenant.get(tenant) ?? 0) + 1
      perTenant.set(tenant, count)
      if (count <= CANDIDATES_PER_TENANT_MAX) candidates.push({ tenant, id, offset })
      else states.set(offset, 'unchecked')
    }
    if (candidates.length === 0) return states
    const found = failed ? undefined : await lookUp(partition, candidates, signal)
    if (found === undefined) unchecked += candidates.length
    for (const at of found ?? NONE) states.set(candidates[at]?.offset ?? -1, 'hidden')
    return states
  }

  async function lookUp(
    partition: number,
    candidates: readonly CopyCandidate[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<number> | undefined> {
    const untilMs = now() + waitMs
    for (;;) {
      signal.throwIfAborted()
      try {
        return await withTimeout(o.lookUp(partition, candidates), untilMs - now(), tooLate)
      } catch (error) {
        if (now() + PAUSE_MS >= untilMs) {
          if (!failed) o.onOpened(error)
          failed = { partition, candidates }
          return undefined
        }
        await sleep(PAUSE_MS, signal)
      }
    }
  }

  async function retry(): Promise<void> {
    if (failed === undefined || isTrying) return
    isTrying = true
    try {
      await withTimeout(o.lookUp(failed.partition, failed.candidates), waitMs, tooLate)
      failed = undefined
    } catch {
      // It stays open; `onOpened` has the reason.
    } finally {
      isTrying = false
    }
  }

  return {
    find,
    retry,
    get isOpen() {
      return failed !== undefined
    },
    get unchecked() {
      return unchecked
    },
    countUnchecked() {
      unchecked += 1
    },
  }
}

function tooLate(): Error {
  return new Error('The look-up took too long.')
}
