import { Ariftly, type NewEvent } from '@ariftly/sdk'
import { serveMessages } from '../ingest/worker.ts'

/** Who sends, where to, and how many events. */
export interface ClientOrder {
  readonly client: 'sdk' | 'loop' | 'posthog' | 'segment'
  readonly url: string
  readonly apiKey: string
  readonly events: number
}

/** What it took. */
export interface ClientResult {
  readonly seconds: number
  /** Processor time of this process, user and kernel. */
  readonly cpuSeconds: number
}

/** Events in a request: what all of them are asked for. */
const BATCH = 1000
const TASKS = 100
const TEXT = 'Analyzing document: the third chapter is about what the second one left out. '.repeat(2)

const SENDERS: Readonly<Record<ClientOrder['client'], (order: ClientOrder) => Promise<void>>> = {
  sdk: sendBySdk,
  loop: sendByLoop,
  posthog: sendByPosthog,
  segment: sendBySegment,
}

if (process.send !== undefined) serveMessages((order) => run(order as ClientOrder))

async function run(order: ClientOrder): Promise<ClientResult> {
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await SENDERS[order.client](order)
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 }
}

const dataOf = (n: number) => ({ message: TEXT, progress: (n % 100) / 100, n })
const eventOf = (n: number): NewEvent => ({
  type: 'task.progress',
  task_id: `task-${n % TASKS}`,
  agent: 'analyzer',
  data: dataOf(n),
})

async function sendBySdk({ url, apiKey, events }: ClientOrder): Promise<void> {
  const client = new Ariftly({ baseUrl: url, apiKey })
  for (let n = 0; n < events; n += 1) {
    const event = eventOf(n)
    // There is room again when any request is answered.
    if (!client.events.trySend(event)) await client.events.send(event)
  }
  await client.close()
  const { accepted } = client.events.stats()
  if (accepted !== events) throw new Error(`${accepted} of ${events} events were accepted`)
}

/** What a program does without an SDK. */
async function sendByLoop({ url, apiKey, events }: ClientOrder): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  for (let from = 0; from < events; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, events - from) }, (_, at) => eventOf(from + at))
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(batch) })
    if (answer.status !== 202) throw new Error(`the loop was answered ${answer.status}`)
    await answer.arrayBuffer()
  }
}

/** As fast as its settings allow: large batches, no compression, no timer to wait for. */
async function sendByPosthog({ url, events }: ClientOrder): Promise<void> {
  const { PostHog } = await import('posthog-node')
  const settings = { flushAt: BATCH, maxBatchSize: BATCH, maxQueueSize: 10 * BATCH, disableCompression: true }
  const client = new PostHog('phc_bench', { host: url, ...settings })
  for (let n = 0; n < events; n += 1) {
    client.capture({ distinctId: `task-${n % TASKS}`, event: 'task.progress', properties: dataOf(n) })
    // It drops what does not fit into its queue.
    if (n % BATCH === BATCH - 1) await client.flush()
  }
  await client.shutdown()
}

async function sendBySegment({ url, events }: ClientOrder): Promise<void> {
  const { Analytics } = await import('@segment/analytics-node')
  const client = new Analytics({ writeKey: 'bench', host: url, maxEventsInBatch: BATCH })
  for (let n = 0; n < events; n += 1) {
    client.track({ userId: `task-${n % TASKS}`, event: 'task.progress', properties: dataOf(n) })
    if (n % BATCH === BATCH - 1) await client.flush()
  }
  await client.closeAndFlush()
}
