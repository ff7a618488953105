import { setTimeout as sleep } from 'node:timers/promises'
import type { PlannedEvent } from './ledger.ts'
import { requestLine } from './workload.ts'

/** Options of a load client: its target, key and rate, and where acknowledged events are recorded. */
export interface LoadClientOptions {
  readonly url: () => string
  readonly apiKey: string
  readonly eventsPerS: number
  /** Share of the events that are posted again on purpose, 0 to 1. */
  readonly repostShare: number
  readonly format: 'json' | 'ndjson'
  readonly random: () => number
  readonly plan: (nowMs: number) => PlannedEvent
  readonly acknowledge: (event: PlannedEvent) => void
  /** Called with each event before each post of it. */
  readonly onPost?: (event: PlannedEvent) => void
  /** Timeout of an answer; default 60 s. */
  readonly timeoutMs?: number
  /** Ends the client immediately, with unsent events: the test has failed. */
  readonly signal: AbortSignal
}

/** A running load client. */
export interface LoadClient {
  /** Requests that were sent and have no answer yet. */
  unanswered(): number
  /** Stops planning new events and resolves once every planned one is acknowledged. */
  finish(): Promise<LoadReport>
}

/** What a client did: events planned, requests cut or refused temporarily, and answers that must never be given. */
export interface LoadReport {
  readonly planned: number
  readonly reposted: number
  readonly cut: number
  readonly unavailable: number
  readonly unexpected: readonly string[]
}

const TICK_MS = 100
const BATCH_MAX = 200
const RETRY_MS = 40
/** Until an event is posted again that was accepted. */
const LATER_MS_MAX = 3000

/**
 * Posts at a steady rate, independent of answers: events that are due while ingest is down wait in the client and are posted when
 * it is back. Events that were cut, answered 503, or are `retry` in a 207 are posted again with the same ids.
 */
export function startLoadClient(options: LoadClientOptions): LoadClient {
  const startedMs = performance.now()
  const waiting: PlannedEvent[] = []
  const report = { planned: 0, reposted: 0, cut: 0, unavailable: 0, unexpected: [] as string[] }
  let unanswered = 0
  const finishing = new AbortController()

  async function run(): Promise<LoadReport> {
    while (!options.signal.aborted && (!finishing.signal.aborted || waiting.length > 0)) {
      if (!finishing.signal.aborted) planDue()
      const again = waiting.length === 0 ? [] : await post(waiting.splice(0, BATCH_MAX))
      waiting.unshift(...again)
      await sleep(again.length > 0 ? RETRY_MS : TICK_MS * (0.5 + options.random()))
    }
    return report
  }

  function planDue(): void {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * options.eventsPerS)
    while (report.planned < due) {
      const event = options.plan(Date.now())
      waiting.push(event)
      report.planned += 1
      if (options.random() < options.repostShare) repostLater(event)
    }
  }

  function repostLater(event: PlannedEvent): void {
    report.reposted += 1
    const at = Math.floor(options.random() * waiting.length)
    if (options.random() < 0.5) waiting.splice(at, 0, event)
    else setTimeout(() => waiting.push(event), LATER_MS_MAX * options.random()).unref()
  }

  /** Returns the events that have to be posted again. */
  async function post(batch: readonly PlannedEvent[]): Promise<readonly PlannedEvent[]> {
    unanswered += 1
    for (const event of batch) options.onPost?.(event)
    try {
      const { status, statuses, text } = await send(batch)
      const isPart = status === 207 && !text.includes('"status":"refused"')
      if (status !== 202 && status !== 503 && !isPart) {
        report.unexpected.push(`${status} ${text.slice(0, 300)}`)
        return status >= 500 ? batch : []
      }
      if (status !== 202) report.unavailable += 1
      for (const event of batch) if (statuses.get(event.id) === 'accepted') options.acknowledge(event)
      return batch.filter((event) => statuses.get(event.id) !== 'accepted')
    } catch {
      report.cut += 1
      return batch
    } finally {
      unanswered -= 1
    }
  }

  async function send(batch: readonly PlannedEvent[]): Promise<Answer> {
    const lines = batch.map(requestLine)
    const json = options.format === 'json'
    const response = await fetch(`${options.url()}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${options.apiKey}`,
        'content-type': json ? 'application/json' : 'application/x-ndjson',
      },
      body: json ? `[${lines.join(',')}]` : lines.join('\n'),
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? 60_000)]),
    })
    const text = await response.text()
    return { status: response.status, text, statuses: statusesOf(response.status, text) }
  }

  const running = run()
  return {
    unanswered: () => unanswered,
    async finish() {
      finishing.abort()
      return await running
    },
  }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly statuses: ReadonlyMap<string, string>
}

/** Id to `accepted` or `retry`: in `data` of a 202 or 207, in `events` of a 503 problem. */
function statusesOf(status: number, text: string): ReadonlyMap<string, string> {
  if (![202, 207, 503].includes(status)) return new Map()
  const body = JSON.parse(text) as Partial<Record<'data' | 'events', { id?: string; status: string }[]>>
  const entries = body.data ?? body.events ?? []
  return new Map(entries.flatMap((entry) => (entry.id === undefined ? [] : [[entry.id, entry.status]])))
}
