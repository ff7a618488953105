import { setTimeout as sleep } from 'node:timers/promises'
import type { PlannedEvent } from '../faults/ledger.ts'
import { requestLine } from '../faults/workload.ts'

/** Posts events again that were acknowledged before: recent and old ones, the same and differing. */
export interface Reposter {
  /** Reposts that were acknowledged. */
  readonly same: number
  readonly conflicting: number
  readonly unexpected: readonly string[]
  pause(): Promise<void>
  resume(): void
  close(): Promise<void>
}

/** Options of {@link startReposter}. */
export interface ReposterOptions {
  readonly url: () => string
  readonly keyOf: (tenant: string) => string
  /** The events that may be posted again, oldest first. */
  readonly acknowledged: () => readonly PlannedEvent[]
  readonly random: () => number
  readonly everyMs: number
  readonly signal: AbortSignal
}

/** A conflicting repost has the id and the task of the event and another content: the first content is what counts. */
export function startReposter(o: ReposterOptions): Reposter {
  const closing = new AbortController()
  const ended = AbortSignal.any([o.signal, closing.signal])
  const counts = { same: 0, conflicting: 0 }
  const unexpected: string[] = []
  let paused = false
  let posting: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    while (!ended.aborted) {
      if (!paused) {
        posting = repostOne().catch(() => undefined) // Ingest was down: another one is tried later.
        await posting
      }
      await sleep(o.everyMs * (0.5 + o.random()))
    }
  }

  async function repostOne(): Promise<void> {
    const events = o.acknowledged()
    const isRecent = o.random() < 0.5
    const from = isRecent ? Math.max(0, events.length - 100) : 0
    const event = events[from + Math.floor(o.random() * (events.length - from))]
    if (event === undefined) return
    const kind = o.random() < 0.6 ? 'same' : 'conflicting'
    const response = await fetch(`${o.url()}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${o.keyOf(event.tenant)}`, 'content-type': 'application/json' },
      body: requestLine(kind === 'same' ? event : differing(event)),
      signal: AbortSignal.timeout(30_000),
    })
    const text = await response.text()
    if (response.status === 202) counts[kind] += 1
    else if (response.status !== 503) unexpected.push(`${response.status} ${text.slice(0, 300)}`)
  }

  const running = run()
  return {
    get same() {
      return counts.same
    },
    get conflicting() {
      return counts.conflicting
    },
    unexpected,
    async pause() {
      paused = true
      await posting
    },
    resume() {
      paused = false
    },
    async close() {
      closing.abort()
      await running
    },
  }
}

function differing(event: PlannedEvent): PlannedEvent {
  return { ...event, data: event.data.replace(/\}$/, ',"conflicting":true}') }
}
