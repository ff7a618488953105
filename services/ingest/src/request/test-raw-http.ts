import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { deferred } from '@ariftly/async'
import { Authenticator, generateApiKey, hashApiKey } from '@ariftly/auth'
import type { LogEvent, Validation, ValidationResult } from '@ariftly/events'
import { createRouter, serveHttp, type ConnectionFront, type FrontConnections } from '@ariftly/http'
import { createFastPath } from '@ariftly/http-fast-path'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { MemoryBudget } from '../admission/memory-budget.ts'
import type { RecordStatus } from '../log/part.ts'
import { BODY_BYTES_MAX, createFastPostEvents, createPostEvents } from './post-events.ts'
import { createPostPipeline } from './post-pipeline.ts'
import { createQuotas } from '../admission/quota.ts'
import { createBodyReader } from './request-body.ts'

/** API keys of a {@link RawServer}: one without a quota, one whose quota is used up, one without the scope. */
export const KEYS = { free: generateApiKey().key, empty: generateApiKey().key, reader: generateApiKey().key } as const

/** Agents whose events the log does not take. */
const STATUS_BY_AGENT: Readonly<Record<string, RecordStatus>> = { down: 'retry', large: 'refused' }

/** What a client writes over one connection. */
export interface RawScript {
  /** Each is read by the server on its own. */
  readonly pieces: readonly Buffer[]
  /** Whether a piece is only written after a response to the one before. Default: when that was read. */
  readonly isPolite?: boolean
}

/** The result of a script. */
interface RawPlay {
  /** All that the server wrote. */
  readonly text: string
  /** Whether the server closed the connection before the client ended its side. */
  readonly isEndedByServer: boolean
}

/** All of ingest's HTTP side on a port, with a log in memory. */
export interface RawServer {
  /** Plays a script, then ends the client's side, and resolves when the connection is closed. */
  play(script: RawScript): Promise<RawPlay>
  /** What was written to the log for a task. */
  writtenFor(taskId: string): readonly string[]
  readonly posts: { fast: number; http: number }
  close(): Promise<void>
}

/** Starts a server with or without the fast path. Events are validated and written immediately, so that no response is pending when the next piece is read. */
export async function startRawServer(o: {
  readonly fastPath: boolean
  /** Default 128 MiB. */
  readonly memoryBytes?: number
}): Promise<RawServer> {
  const log = createLogger({ service: 'test', level: 'silent' })
  const metrics = createMetrics()
  const written = new Map<string, string[]>()
  const sockets = new Map<number, Socket>()
  const posts = { fast: 0, http: 0 }
  const authenticator = startKeys(log)
  const quotas = createQuotas({ shares: () => 1, now: () => 0 })
  const bodies = createBodyReader({ bytesMax: BODY_BYTES_MAX, timeoutMs: 30_000 })
  const answerPost = createPostPipeline({
    authenticator,
    quotas,
    budget: new MemoryBudget(o.memoryBytes ?? 2 ** 27),
    validations: { run: (_tenant, validation) => toEnd(validation) },
    log: { write: async (events) => events.map(write) },
    isOtherLog: () => false,
    count: () => {},
    historyMs: () => 90 * 86_400_000,
    clock: { now: Date.now, latest: Date.now },
  })
  const corsOrigins = ['https://a.example']
  const handlers = { postEvents: createPostEvents(answerPost, { bodies, onPost: () => (posts.http += 1) }) }
  const fastPath = createFastPath({
    route: 'postEvents',
    handler: createFastPostEvents(answerPost, () => (posts.fast += 1)),
    log,
    metrics,
    corsOrigins,
  })
  const connectionFront: ConnectionFront = (server, timeouts) => {
    const front = o.fastPath ? fastPath(server, timeouts) : NO_FRONT
    server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket))
    return front
  }
  const listener = createRouter({ handlers, log, metrics, corsOrigins })
  const server = await serveHttp({ name: 'test', host: '127.0.0.1', port: 0, listener, connectionFront, log })
  await untilReady(authenticator)
  for (const key of Object.values(KEYS)) {
    const caller = await authenticator.authenticate(`Bearer ${key}`, 'any')
    // Takes the one event that the empty key may post: the clock of the quotas does not advance.
    quotas.admit(caller, 0)
  }

  function write(event: LogEvent): RecordStatus {
    const { type, taskId, agent, sessionId } = event
    const known = written.get(taskId ?? '') ?? []
    written.set(taskId ?? '', [...known, JSON.stringify({ type, agent, sessionId, data: String(event.data) })])
    return STATUS_BY_AGENT[agent ?? ''] ?? 'accepted'
  }

  return {
    play: (script) => play(script, server.port, sockets),
    writtenFor: (taskId) => written.get(taskId) ?? [],
    posts,
    async close() {
      bodies.close()
      await server.close(0)
      await authenticator.close()
    },
  }
}

const NO_FRONT: FrontConnections = { drain() {}, close() {}, destroy() {}, unanswered: 0 }

/** Keys are cached once their feed has been read, which does not wait here. */
async function untilReady(authenticator: Authenticator): Promise<void> {
  for (let turn = 0; !authenticator.ready; turn += 1) {
    if (turn === 10_000) throw new Error('The feed of keys was not read.')
    await setImmediate()
  }
}

function startKeys(log: ReturnType<typeof createLogger>): Authenticator {
  const base = {
    tenant: 'acme',
    secret: 1,
    secretEndsAtMs: null,
    tenantState: 'active',
  } as const
  const limits = { eventsPerS: null, streams: null, webhooks: null }
  const rest = { ...base, scopes: ['events:write'], limits, expiresAtMs: null, revokedAtMs: null }
  const quota = { eventsPerS: null, bytesPerS: null }
  const byHash = new Map([
    [textOf(hashApiKey(KEYS.free)), { ...rest, id: 'key_free', quota }],
    [textOf(hashApiKey(KEYS.empty)), { ...rest, id: 'key_empty', quota: { eventsPerS: 1, bytesPerS: null } }],
    [textOf(hashApiKey(KEYS.reader)), { ...rest, id: 'key_reader', quota, scopes: ['events:read'] }],
  ])
  return new Authenticator({
    lookup: async (hashes) => hashes.map((hash) => byHash.get(textOf(hash))),
    latestChange: async () => 0,
    changesSince: async () => ({ latestSeq: 0, removedSeq: 0, changes: [] }),
    log,
  })
}

const textOf = (hash: Buffer): string => hash.toString('hex')

async function play(
  { pieces, isPolite = false }: RawScript,
  port: number,
  sockets: Map<number, Socket>,
): Promise<RawPlay> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const closed = deferred<undefined>()
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('end', () => socket.end())
  socket.on('close', () => closed.resolve(undefined))
  await once(socket, 'connect')
  const localPort = socket.localPort ?? 0
  // A write to a connection that the server has closed would end it here before its last response is read.
  const isOpen = (): boolean => !socket.destroyed && !socket.readableEnded && sockets.get(localPort)?.destroyed !== true
  let sent = 0
  for (const piece of pieces) {
    if (!isOpen()) break
    const before = text.length
    socket.write(piece)
    sent += piece.length
    while (!isRead(sockets.get(localPort), sent) && !socket.destroyed) await setImmediate()
    await setImmediate()
    if (isPolite) while (text.length === before && !socket.destroyed) await setImmediate()
  }
  const isEndedByServer = !isOpen()
  if (!isEndedByServer) socket.end()
  await closed.promise
  sockets.delete(localPort)
  return { text, isEndedByServer }
}

function isRead(socket: Socket | undefined, bytes: number): boolean {
  return socket !== undefined && (socket.destroyed || socket.bytesRead >= bytes)
}

function toEnd(validation: Validation): ValidationResult {
  for (;;) {
    const step = validation.next()
    if (step.done === true) return step.value
  }
}
