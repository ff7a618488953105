import { withTimeout } from '@ariftly/async'
import { eventIdMs, type LogEvent } from '@ariftly/events'
import { sleep } from '@ariftly/runtime'
import type { DuplicateCandidate } from '../history/find-earlier-duplicates.ts'
import { EventIdBits } from './event-id-bits.ts'
import type { IdIndex, IndexedRecord } from './id-index.ts'
import type { RecordState } from './record-state.ts'
import type { Ring } from './ring.ts'

/** A record that is an event and that an open stream wants. */
export interface WantedRecord {
  readonly offset: number
  readonly event: LogEvent
}

/** Options of {@link DuplicateCheck}. */
export interface DuplicateCheckOptions {
  readonly ids: IdIndex
  readonly ring: Ring
  /** Indexes of the candidates that have an earlier record in Postgres. */
  readonly lookUp: (partition: number, candidates: readonly DuplicateCandidate[]) => Promise<ReadonlySet<number>>
  /** The times of the newest ids that tenants have in Postgres. */
  readonly newestTimes: (tenants: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** Timeout of the look-up, ms. Default 2,000. */
  readonly waitMs?: number
  readonly now: () => number
  /** Called when the breaker opens: no look-ups until a trial succeeds. */
  readonly onOpened: (error: unknown) => void
}

/** Whether the ring may show a record to a stream; with `wait` the stream reads it from Postgres, which has no duplicates. */
type Passage = 'known' | 'unchecked' | 'wait'

/** A look-up of records of one partition. */
interface LookUp {
  readonly partition: number
  readonly candidates: readonly DuplicateCandidate[]
}

/** Look-ups of a tenant in one batch; records beyond it are `unchecked`, and streams read them from Postgres. */
export const CANDIDATES_PER_TENANT_MAX = 64
const WAIT_MS = 2000
const PAUSE_MS = 100
const NONE: ReadonlySet<number> = new Set()

/**
 * Finds duplicates of events: recent ones by the ids that this process remembers, older ones by look-ups in Postgres.
 *
 * An id whose time is within what the index remembers cannot have an older duplicate. An id in the index decides only while
 * its record is surely an event: a record that the ring has dropped may have been a dead letter, which Postgres knows once it
 * is projected. Ids that are not decided are looked up before their records are appended if a stream wants them; if none does,
 * the record is `unchecked`, and a stream that reaches it is served from Postgres until it is past it. When Postgres does not
 * answer in time a breaker opens: `unchecked` records are shown and counted until a retry of the failed look-up (`retry`)
 * succeeds.
 */
export class DuplicateCheck {
  readonly #o: DuplicateCheckOptions
  readonly #waitMs: number
  /** The last failed look-up, while the breaker is open. */
  #failed: LookUp | undefined
  #isTrying = false
  #isLearning = false
  #unchecked = 0
  /** The bits of the last id asked for. */
  readonly #asked = new EventIdBits()

  constructor(o: DuplicateCheckOptions) {
    this.#o = o
    this.#waitMs = o.waitMs ?? WAIT_MS
  }

  /** Whether the breaker is open: records that need a look-up are shown and counted. */
  get isOpen(): boolean {
    return this.#failed !== undefined
  }

  /** Records shown without the look-up that they needed. */
  get unchecked(): number {
    return this.#unchecked
  }

  /**
   * The states, by offset, of the records of one partition that may have an older duplicate: one look-up for all, at most
   * {@link CANDIDATES_PER_TENANT_MAX} a tenant; those beyond are `unchecked`. {@link note} decides on all other records.
   */
  async find(
    partition: number,
    records: readonly WantedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, RecordState>> {
    const states = new Map<number, RecordState>()
    const candidates: DuplicateCandidate[] = []
    const perTenant = new Map<string, number>()
    for (const { offset, event } of records) {
      const { tenant, id } = event
      const earlier = this.#earlier(partition, tenant, id)
      if (earlier === 'none' && !this.#o.ids.mayBeOlder(partition, tenant, eventIdMs(id))) continue
      // Set before the look-up: the index may forget this id meanwhile, as Postgres has it by then.
      states.set(offset, earlier === 'event' ? 'hidden' : 'shown')
      if (earlier === 'event') continue
      const count = (perTenant.get(tenant) ?? 0) + 1
      perTenant.set(tenant, count)
      if (count <= CANDIDATES_PER_TENANT_MAX) candidates.push({ tenant, id, offset })
      else states.set(offset, 'unchecked')
    }
    if (candidates.length === 0) return states
    void this.#learnNewest([...perTenant.keys()])
    const found = this.isOpen ? undefined : await this.#lookUp({ partition, candidates }, signal)
    if (found === undefined) this.#unchecked += candidates.length
    for (const at of found ?? NONE) states.set(candidates[at]?.offset ?? -1, 'hidden')
    return states
  }

  /** Adds the id of a record that will be appended and returns its state; `found` is its result of {@link find}. */
  note(record: IndexedRecord, found: RecordState | undefined): RecordState {
    if (found === 'hidden') return 'hidden'
    const { ids } = this.#o
    const { partition, tenant, appendedAtMs, id } = record
    ids.seen(partition, appendedAtMs)
    const added = ids.add(record, this.#mayBeDeadLetter)
    if (added === 'known') return 'hidden'
    // Asked last, as adding may have dropped an earlier record's id: this one's, too.
    const isSure = added === 'added' && !ids.mayBeOlder(partition, tenant, id.ms)
    return found ?? (isSure ? 'shown' : 'unchecked')
  }

  /** Whether live streams may get a record of this state (not hidden); otherwise they fall back to before it, to Postgres. */
  isKnown(state: RecordState): boolean {
    return state !== 'unchecked'
  }

  /** Whether a stream may get a record from the ring (not hidden); counts records shown `unchecked`. */
  pass(seq: number): Passage {
    if (this.isKnown(this.#o.ring.state(seq))) return 'known'
    if (!this.isOpen) return 'wait'
    this.#unchecked += 1
    return 'unchecked'
  }

  /**
   * Retries the failed look-up if the breaker is open and no retry is running; success closes the breaker. No record waits
   * for it. Never rejects.
   */
  async retry(): Promise<void> {
    if (this.#failed === undefined || this.#isTrying) return
    this.#isTrying = true
    try {
      const { partition, candidates } = this.#failed
      await withTimeout(this.#o.lookUp(partition, candidates), this.#waitMs, tooLate)
      this.#failed = undefined
    } catch {
      // The breaker stays open; `onOpened` got the reason.
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

  /** Reads the times of newest ids that are not known: newer ids of these tenants need no look-up. No record waits for it. */
  async #learnNewest(tenants: readonly string[]): Promise<void> {
    const { ids, newestTimes } = this.#o
    const unknown = tenants.filter((tenant) => !ids.knowsNewest(tenant))
    if (unknown.length === 0 || this.#isLearning || this.isOpen) return
    this.#isLearning = true
    try {
      for (const [tenant, ms] of await newestTimes(unknown)) ids.setNewest(tenant, ms)
    } catch {
      // The next look-up tries again; until then all ids of these tenants are looked up.
    } finally {
      this.#isLearning = false
    }
  }

  /** What this process remembers of earlier records of the partition with this id. */
  #earlier(partition: number, tenant: string, id: string): 'none' | 'event' | 'maybeDeadLetter' {
    const offset = this.#asked.readText(id) ? this.#o.ids.find(partition, tenant, this.#asked) : undefined
    if (offset === undefined) return 'none'
    return this.#mayBeDeadLetter(partition, offset) ? 'maybeDeadLetter' : 'event'
  }

  /**
   * Whether a remembered record is a dead letter, or may be one: then it is no duplicate. One that is in neither the ring nor
   * the projection is taken for an event, as neither can tell.
   */
  readonly #mayBeDeadLetter = (partition: number, offset: number): boolean => {
    const { ring, ids } = this.#o
    const seq = ring.seqOf(partition, offset)
    return seq === undefined ? ids.isProjected(partition, offset) : ring.event(seq) === undefined
  }
}

function tooLate(): Error {
  return new Error('The look-up took too long.')
}
