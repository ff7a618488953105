import { createSecureContext } from 'node:tls'
import { checkAddress } from './address-policy.ts'
import { dialGuarded, dialTcp, type Dial, type DialRecord } from './connector.ts'
import { Deadline } from './deadline.ts'
import { exchange, type Answer } from './exchange.ts'
import { EgressFault, toEgressFault } from './fault.ts'
import { OriginPool, type Connection } from './origin-pool.ts'
import type { EgressOutcome, EgressRequest, ErrorClass } from './outcome.ts'
import type { EgressPolicy } from './policy.ts'
import { createResolver, type Resolve } from './resolve.ts'

/** Options of an egress; `resolve`, `dial` and `ca` are for tests. */
export interface EgressOptions {
  readonly policy: EgressPolicy
  readonly resolve?: Resolve
  readonly dial?: Dial
  /** Trusted roots instead of Node's. */
  readonly ca?: string | Buffer
}

/** Sends guarded POSTs. */
export interface Egress {
  /** Never rejects: every fault is an outcome, at the latest at the request's deadline. */
  readonly send: (request: EgressRequest) => Promise<EgressOutcome>
  /** Aborts running requests and closes all connections. */
  readonly close: () => Promise<void>
}

/**
 * The way out to subscribers: connections are guarded (`dialGuarded`) and kept per origin. Redirects are not followed,
 * nothing is decompressed, at most 64 KiB of an answer are read. 16 KiB of its body and 2 KiB of its headers are kept. One
 * deadline covers the look-up, the connection, TLS, request and answer together.
 */
export function createEgress(o: EgressOptions): Egress {
  const { policy, dial = dialTcp } = o
  const { resolve = createResolver({ mayReach: (address) => checkAddress(address, policy).ok }) } = o
  const secureContext = createSecureContext(o.ca === undefined ? {} : { ca: o.ca })
  const pool = new OriginPool(openSocket)

  function openSocket(url: URL, record: DialRecord, signal: AbortSignal) {
    const secure = url.protocol === 'https:'
    return dialGuarded({
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      secureContext: secure ? secureContext : undefined,
      policy,
      resolve,
      dial,
      signal,
      record,
    })
  }

  async function send(request: EgressRequest): Promise<EgressOutcome> {
    const startedAt = performance.now()
    if (request.url.protocol !== 'https:' && !policy.allowHttp) {
      return outcomeOf(startedAt, undefined, newAnswer(), new EgressFault('blocked', 'only https is allowed'))
    }
    const deadline = new Deadline(request.timeoutMs)
    const first = await attempt(request, startedAt, deadline)
    // The receiver closed an idle connection just as it was used: that is no failure of the receiver. Other idle connections may
    // have been closed too.
    const { outcome } = first.stale ? await attempt(request, startedAt, deadline, { fresh: true }) : first
    deadline.end()
    return outcome
  }

  /** Never rejects. */
  async function attempt(
    request: EgressRequest,
    startedAt: number,
    deadline: Deadline,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ) {
    const answer = newAnswer()
    let connection: Connection | undefined
    let fault: EgressFault | undefined
    try {
      connection = pool.acquire(request.url, deadline, { fresh })
      await exchange(connection, request, answer, deadline)
    } catch (error) {
      fault = toEgressFault(error, 'exchange')
    }
    const kept = connection?.used === true && connection.dialled === undefined
    if (connection !== undefined) pool.release(request.url, connection, answer.reusable)
    const stale =
      kept && fault?.errorClass === 'connection_reset' && answer.firstByteAt === null && deadline.fault === undefined
    return { stale, outcome: outcomeOf(startedAt, connection, answer, fault) }
  }

  return { send, close: () => pool.close() }
}

function newAnswer(): Answer {
  return { status: null, headers: null, body: null, firstByteAt: null, reusable: false }
}

function outcomeOf(
  startedAt: number,
  connection: Connection | undefined,
  answer: Answer,
  fault: EgressFault | undefined,
): EgressOutcome {
  const dialled = connection?.dialled
  const kept = connection !== undefined && dialled === undefined
  return {
    errorClass: fault?.errorClass ?? statusClass(answer.status),
    errorDetail: fault?.message ?? null,
    unreachable: fault?.unreachable ?? null,
    status: answer.status,
    address: connection?.record.address ?? null,
    timing: {
      dnsMs: kept ? 0 : (dialled?.dnsMs ?? null),
      connectMs: kept ? 0 : (dialled?.connectMs ?? null),
      tlsMs: kept ? 0 : (dialled?.tlsMs ?? null),
      firstByteMs: answer.firstByteAt === null ? null : answer.firstByteAt - startedAt,
      totalMs: performance.now() - startedAt,
    },
    responseHeaders: answer.headers,
    responseBody: answer.body,
  }
}

function statusClass(status: number | null): ErrorClass | null {
  if (status === null) return 'connection_reset'
  if (status < 300) return null
  if (status < 400) return 'http_3xx'
  return status < 500 ? 'http_4xx' : 'http_5xx'
}
