import { createReadStream, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { Ariftly, type NewEvent } from '@ariftly/sdk'
import { serveMessages } from '../ingest/worker.ts'

/** What is done without the command line, and with what. */
export interface FlowOrder {
  /** `send`: the lines of `file` by the SDK; `tail`: that many events by its stream; `post`: a plain loop of POSTs of the lines to `url`. */
  readonly flow: 'send' | 'tail' | 'post'
  readonly url: string
  readonly apiKey: string
  readonly file: string
  readonly events: number
  readonly concurrency: number
  /** ISO 8601: where the stream begins. */
  readonly after: string
}

const FLOWS: Readonly<Record<FlowOrder['flow'], (order: FlowOrder) => Promise<void>>> = { send, tail, post }

serveMessages(async (message) => {
  const order = message as FlowOrder
  const startedMs = performance.now()
  await FLOWS[order.flow](order)
  return { seconds: (performance.now() - startedMs) / 1000 }
})

async function send({ url, apiKey, file, events }: FlowOrder): Promise<void> {
  const client = new Ariftly({ baseUrl: url, apiKey })
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const event = JSON.parse(line) as NewEvent
    if (!client.events.trySend(event)) await client.events.send(event)
  }
  await client.close()
  const { accepted } = client.events.stats()
  if (accepted !== events) throw new Error(`${accepted} of ${events} events were accepted`)
}

async function tail({ url, apiKey, after, events }: FlowOrder): Promise<void> {
  const client = new Ariftly({ baseUrl: url, apiKey })
  const stream = client.events.stream({ after })
  let count = 0
  for await (const item of stream) {
    if (item.type !== 'stream.reset' && (count += 1) === events) stream.close()
  }
  await client.close()
}

async function post({ url, file, concurrency }: FlowOrder): Promise<void> {
  const bodies = readFileSync(file, 'utf8').trimEnd().split('\n')
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const loops = Array.from({ length: concurrency }, async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await postOne(url, body, agent)
  })
  await Promise.all(loops)
  agent.destroy()
}

function postOne(url: string, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } })
    sent.on('error', reject).on('response', (response) => response.resume().on('end', resolve))
    sent.end(body)
  })
}
