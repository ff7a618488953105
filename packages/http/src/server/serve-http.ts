import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ByteBudget } from '@ariftly/fairness'
import { Fault, messageOf, type Logger } from '@ariftly/runtime'
import type { ConnectionFront, ConnectionTimeouts } from './connection-front.ts'
import { PipelinedAnswers } from './pipelined-answers.ts'
import { sendError, sendProblem } from '../answers/problem.ts'
import { refusalOfHead } from './refused-head.ts'
import { answerRefusedByParser } from './refused-by-parser.ts'
import { UnreadAnswers, type UnreadLimits } from './unread-answers.ts'

/** Options of {@link serveHttp}. */
export interface ServeHttpOptions {
  /** In the log. */
  readonly name: string
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  readonly listener: RequestListener
  /** Answers some requests before `node:http` reads them; `listener` gets all others. */
  readonly connectionFront?: ConnectionFront | undefined
  readonly log: Logger
  /** What may wait for clients that do not read their answers; default 64 MiB, and 30 s. */
  readonly unread?: UnreadLimits
  /** Default: 10 s for a new connection, 75 s after a response. */
  readonly timeouts?: ConnectionTimeouts
}

/** A connection that is kept open outlives the 60 s of usual balancers, which must close first. */
const TIMEOUTS: ConnectionTimeouts = { headersTimeoutMs: 10_000, keepAliveTimeoutMs: 75_000 }
/** Time for a complete request; its answer may take longer. */
const REQUEST_TIMEOUT_MS = 60_000
const UNREAD: UnreadLimits = { bytesMax: 64 * 1024 * 1024, timeoutMs: 30_000 }

/** A server that listens. */
export interface HttpServer {
  readonly port: number
  /** Adds `Connection: close` to further answers; cuts nothing. For the time between "not ready" and closing. */
  drain(): void
  /**
   * Stops listening, closes idle connections now and others after their answer, and cuts what is left after `graceMs`.
   * Resolves when no connection is left.
   */
  close(graceMs: number): Promise<void>
}

/** Starts a server; rejects with a {@link Fault} `listen_failed` when the port cannot be had. */
export async function serveHttp(options: ServeHttpOptions): Promise<HttpServer> {
  const { log, timeouts = TIMEOUTS } = options
  const answers = new Set<ServerResponse>()
  const { bytesMax, timeoutMs } = options.unread ?? UNREAD
  const budget = new ByteBudget({ bytesMax })
  const pipelined = new PipelinedAnswers(handle, budget)
  const unread = new UnreadAnswers(timeoutMs, budget)
  let draining = false
  let closed: Promise<void> | undefined

  const server = createServer(
    {
      headersTimeout: timeouts.headersTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: timeouts.keepAliveTimeoutMs,
      connectionsCheckingInterval: 5000,
      // `refusalOfHead` refuses a request without one.
      requireHostHeader: false,
    },
    add,
  )
  // A server may ignore an expectation that it does not know (RFC 9110, section 10.1.1); `node:http` would answer out of turn.
  server.on('checkExpectation', add)
  answerRefusedByParser(server, pipelined)
  const front = options.connectionFront?.(server, timeouts)

  function add(...[req, res]: Parameters<RequestListener>): void {
    pipelined.add(req, res)
  }

  function handle(...[req, res]: Parameters<RequestListener>): void {
    answers.add(res)
    unread.watch(req, res)
    res.once('close', () => onAnswered(res))
    if (draining) res.shouldKeepAlive = false
    answer(req, res, options)
  }

  function onAnswered(res: ServerResponse): void {
    answers.delete(res)
    if (closed !== undefined) server.closeIdleConnections()
  }

  function drain(): void {
    draining = true
    front?.drain()
    for (const res of answers) if (!res.headersSent) res.shouldKeepAlive = false
  }

  function close(graceMs: number): Promise<void> {
    closed ??= closeOnce(graceMs)
    return closed
  }

  async function closeOnce(graceMs: number): Promise<void> {
    drain()
    const cut = setTimeout(() => {
      const unanswered = answers.size + (front?.unanswered ?? 0)
      log.warn({ name: options.name, unanswered }, 'connections are cut: their answers took too long')
      front?.destroy()
      server.closeAllConnections()
    }, graceMs)
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      front?.close()
      server.closeIdleConnections()
    })
    clearTimeout(cut)
  }

  await listen(server, options)
  const { port } = server.address() as AddressInfo
  log.info({ name: options.name, host: options.host, port }, 'listening')
  return { port, drain, close }
}

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { listener, log }: Pick<ServeHttpOptions, 'listener' | 'log'>,
): void {
  useOriginForm(req)
  try {
    const refusal = refusalOfHead(req)
    if (refusal === undefined) listener(req, res)
    else sendProblem(req, res, refusal)
  } catch (error) {
    sendError(req, res, error, log)
  }
}

/** Cuts a target in absolute form (RFC 9112, section 3.2.2) to its path and query. A server has one authority, so it ignores the target's. */
function useOriginForm(req: IncomingMessage): void {
  const authority = /^https?:\/\/[^/?]*/i.exec(req.url ?? '')
  if (authority === null) return
  const rest = (req.url ?? '').slice(authority[0].length)
  req.url = rest.startsWith('/') ? rest : `/${rest}`
}

async function listen(server: ReturnType<typeof createServer>, options: ServeHttpOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', onError)
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', onError)
      resolve()
    })

    function onError(cause: Error): void {
      const where = `${options.host}:${options.port}`
      reject(new Fault({ code: 'listen_failed', message: `Cannot listen on ${where}: ${messageOf(cause)}`, cause }))
    }
  })
}
