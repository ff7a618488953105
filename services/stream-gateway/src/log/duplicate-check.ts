import { eventIdMs, type LogEvent } from '@ariftly/events'
import { sleep, withTimeout } from '@ariftly/runtime'
import type { CopyCandidate } from '@ariftly/store/streams'
import type { IdIndex } from './id-index.ts'

/** A record that is an event. */
export interface EventRecord {
  readonly offset: number
  readonly appendedAtMs: number
  readonly event: LogEvent
}

/** What {@link createDuplicateCheck} needs. */
export interface DuplicateCheckOptions {
  readonly index: IdIndex
  /** Which of the records Postgres knows an earlier copy of, as indexes. */
  lookUp(partition: number, candidates: readonly CopyCandidate[]): Promise<ReadonlySet<number>>
  /** The look-up waits so long at most, ms. Default 2,000. */
  readonly waitMs?: number
  readonly now: () => number
  onOpened(error: unknown): void
}

/** Finds copies of events that are older than what this process remembers. */
export interface DuplicateCheck {
  /** Offsets of the records of one partition that are copies of earlier ones, as the index or Postgres knows: one look-up for all. */
  find(partition: number, records: readonly EventRecord[], signal: AbortSignal): Promise<ReadonlySet<number>>
  /**
   * Makes the look-up that failed again, if the breaker is open and no such trial is under way; no record waits for it. When it
   * succeeds, look-ups are made again. Never rejects.
   */
  retry(): Promise<void>
  readonly isOpen: boolean
  /** Records that went out without the look-up that they needed: the one exception to promise 3. */
  readonly unchecked: number
}

const PAUSE_MS = 100
const NONE: ReadonlySet<number> = new Set()

/**
 * An id whose time is within what the index remembers cannot have an older copy; the others are looked up. When Postgres
 * does not answer in time a breaker opens, and until a trial (`retry`) has succeeded such records go out unchecked and are
 * counted. That something else can be read in Postgres closes no breaker: then every batch would wait in vain again.
 */
export function createDuplicateCheck(o: DuplicateCheckOptions): DuplicateCheck {
  const { index, now, waitMs = 2000 } = o
  /** The last look-up that was given up, while the breaker is open. */
  let failed: { readonly partition: number; readonly candidates: readonly CopyCandidate[] } | undefined
  let isTrying = false
  let unchecked = 0

  async function find(
    partition: number,
    records: readonly EventRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<number>> {
    const copies = new Set<number>()
    const candidates: CopyCandidate[] = []
    for (const { offset, event } of records) {
      const { tenant, id } = event
      // Noted now: while others are looked up, the index may forget this id, as Postgres has it by then.
      if (index.has(partition, tenant, id)) copies.add(offset)
      else if (index.mayBeOlder(partition, eventIdMs(id))) candidates.push({ tenant, id, offset })
    }
    if (candidates.length === 0) return copies
    const found = failed ? undefined : await lookUp(partition, candidates, signal)
    if (found === undefined) unchecked += candidates.length
    for (const at of found ?? NONE) copies.add(candidates[at]?.offset ?? -1)
    return copies
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
      // It stays open; `onOpened` was told why.
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
  }
}

function tooLate(): Error {
  return new Error('The look-up took too long.')
}
