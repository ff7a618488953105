import { Agent, request as startRequest, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** A request that is sent unchanged, with its faults. */
export interface RawRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** The answer; status 0 when there is none. */
export interface RawAnswer {
  readonly status: number
  /** Head and body; the data of a stream while it was open. */
  readonly text: string
}

const DEADLINE_MS = 10_000
/** How long an answer without an end is listened to. */
const STREAM_MS = 150

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Sends it unchanged. An endless answer is read for a moment; no answer within 10 s counts as none. */
export function sendRaw(origin: string, request: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const { method, path, headers, body } = request
    const none = (error: Error) => resolve({ status: 0, text: error.message })
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const sent = startRequest(origin, { method, path, agent, headers: { ...headers, ...length } }, (answer) => {
      void readAnswer(answer).then(resolve, none)
    })
    sent.on('error', none)
    sent.setTimeout(DEADLINE_MS, () => sent.destroy(new Error('no answer in time')))
    sent.end(body)
  })
}

/** Ends the connections that are kept. */
export function closeConnections(): void {
  agent.destroy()
}

async function readAnswer(answer: IncomingMessage): Promise<RawAnswer> {
  const head = answer.rawHeaders.join('\n')
  const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true
  const body = isStream ? await readForAMoment(answer) : await buffer(answer)
  return { status: answer.statusCode ?? 0, text: `${head}\n${body.toString('utf8')}` }
}

async function readForAMoment(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  answer.on('data', (chunk: Buffer) => chunks.push(chunk))
  answer.on('error', () => undefined) // We leave it, and say so by a reset.
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, STREAM_MS)
    answer.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  answer.destroy()
  return Buffer.concat(chunks)
}
