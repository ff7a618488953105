import { setTimeout as sleep } from 'node:timers/promises'
import { createStreamReader, type StreamMessage } from '@ariftly/testkit'
import type { StreamedEvent, StreamSeen, Wanted } from './ledger.ts'
import { ledgerIdOf } from './workload.ts'

/** Options of a stream client: the gateways it may use, its key, and its filter. */
export interface StreamClientOptions {
  readonly name: string
  readonly tenant: string
  readonly apiKey: string
  readonly wanted: Wanted
  readonly gateways: () => readonly string[]
  readonly random: () => number
  /** Mean time after which the client itself cuts its connection, so that it moves between gateways that live. */
  readonly roamMs: number
  /** Called with each event when it arrives. */
  readonly onEvent?: (id: string) => void
  /** Ends the client: the test has failed. */
  readonly signal: AbortSignal
}

/** A stream client that always reconnects with `Last-Event-ID` to any gateway that answers. */
export interface StreamClient {
  readonly seen: StreamSeen
  readonly has: (id: string) => boolean
  /** The gateway that it is connected to now, if any. */
  connectedTo(): string | undefined
  /** Whether it has an id to resume with. */
  canResume(): boolean
  readonly report: StreamReport
  close(): Promise<void>
}

/** Connections made, answers that were not 200, and what must never be seen. */
interface StreamReport {
  connections: number
  refused: number
  readonly unexpected: string[]
}

const RECONNECT_MS = 100

/** Opens the stream and keeps it open. Ids are committed at the end of a block only, as WHATWG says. */
export function startStreamClient(options: StreamClientOptions): StreamClient {
  const received: StreamedEvent[] = []
  const ids = new Set<string>()
  const report: StreamReport = { connections: 0, refused: 0, unexpected: [] }
  const closing = new AbortController()
  const ended = AbortSignal.any([options.signal, closing.signal])
  let lastEventId: string | undefined
  let connectedTo: string | undefined

  async function run(): Promise<void> {
    while (!ended.aborted) {
      await connectOnce().catch(() => undefined)
      connectedTo = undefined
      await sleep(RECONNECT_MS * (0.5 + options.random()))
    }
  }

  async function connectOnce(): Promise<void> {
    const gateways = options.gateways()
    const gateway = gateways[Math.floor(options.random() * gateways.length)] ?? ''
    const roaming = AbortSignal.timeout(Math.ceil(options.roamMs * (0.5 + options.random())))
    const response = await fetch(`${gateway}/v1/events/stream?${queryOf(options.wanted)}`, {
      headers: {
        authorization: `Bearer ${options.apiKey}`,
        accept: 'text/event-stream',
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: AbortSignal.any([ended, roaming]),
    })
    if (response.status !== 200) return await refuse(response)
    report.connections += 1
    connectedTo = gateway
    await read(response)
  }

  async function refuse(response: Response): Promise<void> {
    report.refused += 1
    const text = await response.text()
    if (response.status !== 503) report.unexpected.push(`${response.status} ${text.slice(0, 300)}`)
  }

  async function read(response: Response): Promise<void> {
    const reader = createStreamReader(take, (error) => report.unexpected.push(String(error)))
    for await (const chunk of response.body ?? []) reader.push(chunk as Uint8Array)
  }

  function take(message: StreamMessage): void {
    if (message.id !== undefined) lastEventId = message.id
    const type = message.event ?? 'message'
    if (type === 'stream.checkpoint') return
    if (type.startsWith('stream.')) {
      report.unexpected.push(`${type} ${message.data}`)
      return
    }
    const id = ledgerIdOf(message.data)
    received.push({ id, type, data: message.data })
    ids.add(id)
    options.onEvent?.(id)
  }

  const running = run()
  return {
    seen: { name: options.name, tenant: options.tenant, wanted: options.wanted, received },
    has: (id) => ids.has(id),
    connectedTo: () => connectedTo,
    canResume: () => lastEventId !== undefined,
    report,
    async close() {
      closing.abort()
      await running
    },
  }
}

function queryOf(wanted: Wanted): string {
  const query = new URLSearchParams()
  if (wanted.taskId !== undefined) query.set('task_id', wanted.taskId)
  if (wanted.agent !== undefined) query.set('agent', wanted.agent)
  if (wanted.types !== undefined) query.set('types', wanted.types.join(','))
  return query.toString()
}
