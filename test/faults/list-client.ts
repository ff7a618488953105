import { setTimeout as sleep } from 'node:timers/promises'
import { rawDataObjects } from '../support/raw-data.ts'
import type { ListedEvent } from './ledger.ts'

/** Options of a list client: the api service, its key, and the webhook that it edits sometimes. */
export interface ListClientOptions {
  readonly url: () => string
  readonly tenant: string
  readonly apiKey: string
  readonly webhookId: string
  readonly random: () => number
  /** Ends the client: the test has failed. */
  readonly signal: AbortSignal
}

/** A client that keeps the api service at work by paging through its tenant's events and editing a webhook. */
export interface ListClient {
  unanswered(): number
  readonly listed: readonly ListedEvent[]
  readonly report: ListReport
  close(): Promise<void>
}

/** Requests that were cut or refused temporarily (503), and answers that must never be given. */
interface ListReport {
  answered: number
  cut: number
  unavailable: number
  readonly unexpected: string[]
}

/** Between two requests. */
const PAUSE_MS = { min: 20, max: 80 } as const

/** Starts the client. Listed events are kept, so that the checker can search for another tenant's. */
export function startListClient(options: ListClientOptions): ListClient {
  const listed = new Map<string, ListedEvent>()
  const report: ListReport = { answered: 0, cut: 0, unavailable: 0, unexpected: [] }
  const closing = new AbortController()
  const ended = AbortSignal.any([options.signal, closing.signal])
  let unanswered = 0
  let cursor: string | null = null

  async function run(): Promise<void> {
    while (!ended.aborted) {
      await (options.random() < 0.2 ? editWebhook() : listPage()).catch(() => {
        if (!ended.aborted) report.cut += 1
      })
      await sleep(PAUSE_MS.min + (PAUSE_MS.max - PAUSE_MS.min) * options.random())
    }
  }

  async function listPage(): Promise<void> {
    const query = new URLSearchParams({ limit: '50', ...(cursor === null ? {} : { cursor }) })
    const text = await request('GET', `/v1/events?${query.toString()}`)
    if (text === undefined) return
    const page = JSON.parse(text) as { data: { id: string }[]; next_cursor: string | null }
    const rawData = rawDataObjects(text)
    for (const [index, { id }] of page.data.entries()) {
      listed.set(id, { tenant: options.tenant, id, data: rawData[index] ?? '' })
    }
    cursor = options.random() < 0.2 ? null : page.next_cursor
  }

  async function editWebhook(): Promise<void> {
    const description = `edited at ${Date.now()}`
    await request('PATCH', `/v1/webhooks/${options.webhookId}`, JSON.stringify({ description }))
  }

  async function request(method: string, path: string, body?: string): Promise<string | undefined> {
    unanswered += 1
    try {
      const response = await fetch(`${options.url()}${path}`, {
        method,
        headers: { authorization: `Bearer ${options.apiKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([ended, AbortSignal.timeout(20_000)]),
      })
      const text = await response.text()
      report.answered += 1
      if (response.status === 200) return text
      if (response.status === 503) report.unavailable += 1
      else report.unexpected.push(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
      return undefined
    } finally {
      unanswered -= 1
    }
  }

  const running = run()
  return {
    unanswered: () => unanswered,
    get listed() {
      return [...listed.values()]
    },
    report,
    async close() {
      closing.abort()
      await running
    },
  }
}
