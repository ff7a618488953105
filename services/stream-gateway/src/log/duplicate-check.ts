import { withTimeout } from '@ariftly/async'
import { eventIdMs, type LogEvent } from '@ariftly/events'
import { sleep } from '@ariftly/runtime'
import type { CopyCandidate } from '@ariftly/store/streams'
import { EventIdBits } from './event-id-bits.ts'
import type { IdIndex, IndexedRecord } from './id-index.ts'
import type { RecordState } from './record-state.ts'
import type { Ring } from './ring.ts'

/** A record that is an event and that an open stream wants. */
export interface WantedRecord {
  readonly offset: number
  readonly event: LogEvent
}

/** What {@link DuplicateCheck} needs. */
export interface DuplicateCheckOptions {
  readonly ids: IdIndex
  readonly ring: Ring
  /** Which of the records Postgres knows an earlier one of, as indexes. */
  readonly lookUp: (partition: number, candidates: readonly CopyCandidate[]) => Promise<ReadonlySet<number>>
  /** The look-up waits so long at most, ms. Default 2,000. */
  readonly waitMs?: number
  readonly now: () => number
  /** Look-ups are not made until a trial has succeeded. */
  readonly onOpened: (error: unknown) => void
}

/** Whether a stream that walks the ring may have a record, as far as duplicates go: `wait` until Postgres has it, which has no duplicates. */
type Passage = 'known' | 'unchecked' | 'wait'

/** A look-up of records of one partition. */
interface LookUp {
  readonly partition: number
  readonly candidates: readonly CopyCandidate[]
}

/** Of a tenant that posts more old events at once, streams are served from Postgres, which has no duplicates. */
export const CANDIDATES_PER_TENANT_MAX = 64
const WAIT_MS = 2000
const PAUSE_MS = 100
const NONE: ReadonlySet<number> = new Set()
const NO_STATES: ReadonlyMap<number, RecordState> = new Map()

/**
 * Finds duplicates of events: by the ids that this process remembers, and those that are older by look-ups in Postgres.
 *
 * An id whose time is within what the index remembers cannot have an older duplicate; the others are looked up before their
 * records are appended if a stream wants them. Of others the state is `unchecked`: a stream that comes to such a record is
 * served from Postgres until it is behind it. When Postgres does not answer in time a breaker opens, and until a trial
 * (`retry`) has succeeded such records are shown and counted. Only a successful retry of the failed look-up closes the breaker.
 */
export class DuplicateCheck {
  readonly #o: DuplicateCheckOptions
  readonly #waitMs: number
  /** The last look-up that was given up, while the breaker is open. */
  #failed: LookUp | undefined
  #isTrying = false
  #unchecked = 0
  /** Of the id that was asked for last. */
  readonly #asked = new EventIdBits()

  constructor(o: DuplicateCheckOptions) {
    this.#o = o
    this.#waitMs = o.waitMs ?? WAIT_MS
  }

  /** Look-ups are not made now: records that need one are shown, and counted. */
  get isOpen(): boolean {
    return this.#failed !== undefined
  }

  /** Records that were shown without the look-up that they needed. */
  get unchecked(): number {
    return this.#unchecked
  }

  /**
   * Of records of one partition that may have an older duplicate the states, by offset: one look-up for all. Of one tenant at
   * most {@link CANDIDATES_PER_TENANT_MAX} are looked up; those beyond are `unchecked`. Of other records {@link note} finds it out.
   */
  async find(
    partition: number,
    records: readonly WantedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, RecordState>> {
    const older = records.filter(({ event }) => this.#o.ids.mayBeOlder(partition, eventIdMs(event.id)))
    if (older.length === 0) return NO_STATES
    const states = new Map<number, RecordState>()
    const candidates: CopyCandidate[] = []
    const perTenant = new Map<string, number>()
    for (const { offset, event } of older) {
      const { tenant, id } = event
      // Noted now: while others are looked up, the index may forget this id, as Postgres has it by then.
      const isKnown = this.#isKnown(partition, tenant, id)
      states.set(offset, isKnown ? 'hidden' : 'shown')
      if (isKnown) continue
      const count = (perTenant.get(tenant) ?? 0) + 1
      perTenant.set(tenant, count)
      if (count <= CANDIDATES_PER_TENANT_MAX) candidates.push({ tenant, id, offset })
      else states.set(offset, 'unchecked')
    }
    if (candidates.length === 0) return states
    const found = this.isOpen ? undefined : await this.#lookUp({ partition, candidates }, signal)
    if (found === undefined) this.#unchecked += candidates.length
    for (const at of found ?? NONE) states.set(candidates[at]?.offset ?? -1, 'hidden')
    return states
  }

  /** Adds the id of a record that is to be appended and returns its state; `found` is what {@link find} said of it. */
  note(record: IndexedRecord, found: RecordState | undefined): RecordState {
    if (found === 'hidden') return 'hidden'
    const { ids } = this.#o
    const { partition, appendedAtMs, id } = record
    ids.seen(partition, appendedAtMs)
    const state = found ?? (ids.mayBeOlder(partition, id.ms) ? 'unchecked' : 'shown')
    return ids.add(record, this.#isDeadLetter) === undefined ? state : 'hidden'
  }

  /** Whether a live stream may have a record of this state, which is not hidden; otherwise it continues before it, from Postgres. */
  isKnown(state: RecordState): boolean {
    return state !== 'unchecked'
  }

  /** Whether a stream that walks the ring may have a record that is not hidden; counts one that it has `unchecked`. */
  pass(seq: number): Passage {
    if (this.isKnown(this.#o.ring.state(seq))) return 'known'
    if (!this.isOpen) return 'wait'
    this.#unchecked += 1
    return 'unchecked'
  }

  /**
   * Makes the look-up that failed again, if the breaker is open and no such trial is under way; no record waits for it. When it
   * succeeds, look-ups are made again. Never rejects.
   */
  async retry(): Promise<void> {
    if (this.#failed === undefined || this.#isTrying) return
    this.#isTrying = true
    try {
      const { partition, candidates } = this.#failed
      await withTimeout(this.#o.lookUp(partition, candidates), this.#waitMs, tooLate)
      this.#failed = undefined
    } catch {
      // It stays open; `onOpened` has the reason.
    } finally {
      this.#isTrying = false
    }
  }

  async #lookUp(lookUp: LookUp, signal: AbortSignal): Promise<ReadonlySet<number> | undefined> {
    const { now, onOpened } = this.#o
    const untilMs = now() + this.#waitMs
    for (;;) {
      signal.throwIfAborted()
      try {
        const { partition, candidates } = lookUp
        return await withTimeout(this.#o.lookUp(partition, candidates), untilMs - now(), tooLate)
      } catch (error) {
        if (now() + PAUSE_MS >= untilMs) {
          if (!this.isOpen) onOpened(error)
          this.#failed = lookUp
          return undefined
        }
        await sleep(PAUSE_MS, signal)
      }
    }
  }

  /** Whether the partition has an earlier record with this id, as far as this process knows. */
  #isKnown(partition: number, tenant: string, id: string): boolean {
    const offset = this.#asked.readText(id) ? this.#o.ids.find(partition, tenant, this.#asked) : undefined
    return offset !== undefined && !this.#isDeadLetter(partition, offset)
  }

  /** A record of the ring that turns out to be a dead letter is not the same event. */
  readonly #isDeadLetter = (partition: number, offset: number): boolean => {
    const { ring } = this.#o
    const seq = ring.seqOf(partition, offset)
    return seq !== undefined && ring.event(seq) === undefined
  }
}

function tooLate(): Error {
  return new Error('The look-up took too long.')
}
