import { Agent as HttpAgent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { urlToHttpOptions } from 'node:url'
import type { AttemptOutcome } from './outcome.ts'
import type { ResolvedTarget } from './resolve-target.ts'

/** The program that gets the events. */
export interface Target {
  /** One POST. Never rejects. Redirects are not followed. */
  post(headers: Readonly<Record<string, string>>, body: Buffer): Promise<AttemptOutcome>
  /** Cuts what is under way. */
  close(): void
}

/** The most of an answer that is read, as the platform does: a longer one counts by its status. */
const READ_BYTES_MAX = 64 * 1024
/** How long a kept connection is used again. */
const IDLE_MS_MAX = 4000

/** Connections are kept; `timeoutMs` is the deadline of an attempt, its answer included. */
export function openTarget({ url, addresses }: ResolvedTarget, timeoutMs: number): Target {
  const isSecure = url.protocol === 'https:'
  const request = isSecure ? requestHttps : requestHttp
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, timeout: IDLE_MS_MAX })
  const common = { ...urlToHttpOptions(url), method: 'POST', lookup: createLookup(addresses) }

  function send(headers: Readonly<Record<string, string>>, body: Buffer, isFresh: boolean): Promise<Sent> {
    return new Promise((resolve) => {
      const own = { ...headers, 'content-length': String(body.length) }
      const sent = request({ ...common, headers: own, agent: isFresh ? false : agent })
      watch(sent, timeoutMs, resolve)
      sent.end(body)
    })
  }

  return {
    async post(headers, body) {
      const first = await send(headers, body, false)
      // The target closed a kept connection just as it was used: that says nothing about the target.
      return first.isStale ? (await send(headers, body, true)).outcome : first.outcome
    },
    close() {
      agent.destroy()
    },
  }
}

interface Sent {
  readonly outcome: AttemptOutcome
  readonly isStale: boolean
}

/** Answers every look-up with the addresses that were checked. */
function createLookup(addresses: ResolvedTarget['addresses']): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true || first === undefined) callback(null, [...addresses])
    else callback(null, first.address, first.family)
  }
}

function watch(sent: ClientRequest, timeoutMs: number, resolve: (sent: Sent) => void): void {
  let isConnected = false
  let hasAnswer = false
  const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const settle = (outcome: AttemptOutcome, isStale = false) => {
    clearTimeout(timer)
    resolve({ outcome, isStale })
  }
  sent.on('socket', (socket) => {
    isConnected = !socket.connecting
    if (!isConnected) socket.once('connect', () => (isConnected = true))
  })
  sent.on('response', (response) => {
    hasAnswer = true
    readAnswer(response, settle)
  })
  // Also emitted when the answer is cut off: then `readAnswer` has settled before.
  sent.on('error', (error: NodeJS.ErrnoException) => {
    const isStale = sent.reusedSocket && !hasAnswer && /ECONNRESET|EPIPE/.test(error.code ?? '')
    const reason = reasonOf(error)
    settle(isConnected ? { type: 'failed', status: undefined, reason } : { type: 'unreachable', reason }, isStale)
  })
}

function readAnswer(response: IncomingMessage, settle: (outcome: AttemptOutcome) => void): void {
  const { statusCode: status = 0 } = response
  let bytes = 0
  const end = () => settle(outcomeOf(status))
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= READ_BYTES_MAX) return
    end()
    response.destroy()
  })
  response.on('end', end)
  response.on('error', (error) =>
    settle({ type: 'failed', status, reason: `its answer broke off: ${reasonOf(error)}` }),
  )
}

function outcomeOf(status: number): AttemptOutcome {
  if (status >= 200 && status < 300) return { type: 'delivered', status }
  const reason =
    status >= 300 && status < 400 ? `answered ${status}, a redirect, which is not followed` : `answered ${status}`
  return { type: 'failed', status, reason }
}

/** An error of several addresses has its reason in the first one of them. */
function reasonOf(error: Error): string {
  const [first] = (error as { readonly errors?: readonly Error[] }).errors ?? []
  return error.message || first?.message || (error as NodeJS.ErrnoException).code || error.name
}
