import type { Outcome, PendingEvent, TaskQueue } from './pending-event.ts'
import type { BatchResult, EventResult } from './post-batch.ts'

/** What {@link BatchRequest} needs of the batcher. */
export interface BatchRequestDeps {
  /** Posts events; rejects only when the client is closed meanwhile. */
  post(events: readonly PendingEvent[]): Promise<BatchResult>
  /** May turn a refusal into a repetition. */
  judge(event: PendingEvent, result: EventResult): EventResult
  settle(event: PendingEvent, outcome: Outcome): void
  /** When a task of which an entry was not written may be posted again, Unix milliseconds. */
  heldUntilMs(queue: TaskQueue, retryAfterMs: number): number
}

const RETRY = { type: 'retry' } as const

/** One batch on its way: settles what is decided and keeps the rest, in order, by task. */
export class BatchRequest {
  readonly #deps: BatchRequestDeps
  /** Events to post again. */
  readonly kept = new Map<TaskQueue, PendingEvent[]>()
  /** Tasks to hold back, and until when. */
  readonly held = new Map<TaskQueue, number>()

  constructor(deps: BatchRequestDeps) {
    this.#deps = deps
  }

  /**
   * Posts events, in halves when they are refused as a whole, so that one bad event costs the others nothing. Events of a task that has some to
   * repeat wait for those.
   */
  async run(events: readonly PendingEvent[]): Promise<void> {
    const now = events.filter((event) => !this.#keepBehind(event))
    if (now.length === 0) return
    const result = await this.#deps.post(now)
    if (result.type === 'split') {
      const middle = Math.ceil(now.length / 2)
      await this.run(now.slice(0, middle))
      await this.run(now.slice(middle))
      return
    }
    for (let at = 0; at < now.length; at += 1) {
      const event = now[at] as PendingEvent
      const outcome = result.type === 'again' ? RETRY : this.#deps.judge(event, result.results[at] ?? RETRY)
      if (outcome.type !== 'retry') this.#deps.settle(event, outcome)
      else this.#keep(event)
    }
    if (result.type === 'again') return
    for (const queue of this.kept.keys()) {
      if (!this.held.has(queue)) this.held.set(queue, this.#deps.heldUntilMs(queue, result.retryAfterMs))
    }
  }

  #keepBehind(event: PendingEvent): boolean {
    if (event.queue === undefined || !this.kept.has(event.queue)) return false
    this.#keep(event)
    return true
  }

  #keep(event: PendingEvent): void {
    if (event.queue === undefined) return
    const events = this.kept.get(event.queue)
    if (events === undefined) this.kept.set(event.queue, [event])
    else events.push(event)
  }
}
