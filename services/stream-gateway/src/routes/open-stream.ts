import type { IncomingMessage, ServerResponse } from 'node:http'
import { isApiKeyShaped, type Authenticator } from '@ariftly/auth'
import { Problem, type Caller, type Sealer, type StreamIds } from '@ariftly/http'
import type { EventFilter } from '@ariftly/events'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import { streamFilter } from '../hub/filter.ts'
import type { AskedStart } from '../streams/stream-starts.ts'
import type { Streams } from '../streams/streams.ts'
import { queryToken, readStreamParameters, type StreamParameters } from './parameters.ts'
import { openStreamToken } from './stream-token.ts'

/** What {@link createOpenStream} needs. */
export interface OpenStreamOptions {
  readonly auth: Pick<Authenticator, 'authenticate' | 'authenticateKeyId' | 'ready'>
  readonly ids: StreamIds
  readonly sealer: Sealer
  readonly streams: Streams
  epochReader(): EpochReader | undefined
  isDraining(): boolean
  readonly streamsMax: number
  readonly streamsPerKeyMax: number
  readonly streamsPerTenantMax: number
  /** Open streams of a tenant in other gateways; asked for tenants that have a limit. */
  streamsElsewhere(tenant: string): Promise<number>
}

/**
 * Answers `GET` and `POST /v1/events/stream`. All that can be refused is refused before the answer begins: any status but
 * 200 ends a browser's EventSource for good, so what is only late (history, a position ahead of us) is waited for inside.
 * Before the credential is known to be good nothing but it is read.
 */
export function createOpenStream(o: OpenStreamOptions): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  async function openStream(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const token = queryToken(req.url ?? '')
    if (token === undefined) await byKey(req)
    else await byToken(token)
    const parameters = await readStreamParameters(req)
    const { caller, filter } = await callerOf(req, parameters)
    const start = startOf(req, parameters, o.ids)
    const elsewhere = caller.limits.streams === null ? 0 : await o.streamsElsewhere(caller.tenant)
    // During the waits above a revocation finds no stream of this request to end, so the key is checked after the last of them:
    // from here to the opening nothing is waited for.
    const { caller: current } = await callerOf(req, parameters)
    const epochReader = admit(current, elsewhere)
    const { socket } = req
    if (socket.destroyed) return
    // Stream bytes are written to the socket itself: they must not overtake answers that are due before this one.
    if (res.socket !== socket) {
      throw new Problem(400, 'pipelined_stream', {
        detail: 'Wait for the answers before this one: a stream cannot be pipelined (RFC 9112, 9.3.2).',
      })
    }
    writeHead(res)
    o.streams.open(
      {
        filter: streamFilter(current.tenant, filter, parameters.envelope),
        start,
        keyId: current.keyId,
        secret: current.secret,
        isPlatform: current.scopes.includes('platform'),
        expiresAtMs: current.endsAtMs,
      },
      epochReader,
      socket,
      res.chunkedEncoding,
    )
  }

  async function byKey(req: IncomingMessage): Promise<Caller> {
    return await o.auth.authenticate(req.headers.authorization, 'events:read')
  }

  async function callerOf(req: IncomingMessage, parameters: StreamParameters): Promise<Credential> {
    const filter = filterOf(parameters)
    if (parameters.token === undefined) return { caller: await byKey(req), filter }
    if (Object.keys(filter).length > 0) {
      throw badParameter('token', 'holds the filter: leave out task_id, session_id, agent and types')
    }
    return await byToken(parameters.token)
  }

  async function byToken(text: string): Promise<Credential> {
    if (isApiKeyShaped(text) && !text.startsWith('st_')) {
      throw badParameter('token', 'must be a stream token: an API key does not belong into a URL')
    }
    const token = openStreamToken(o.sealer, text)
    if (token === undefined || token.expiresAtMs <= Date.now()) {
      throw new Problem(401, 'invalid_stream_token', { detail: 'The stream token is not one of ours, or has expired.' })
    }
    const caller = await o.auth.authenticateKeyId(token, 'events:read')
    return { caller: endingWith(caller, token), filter: token.filter }
  }

  function admit(caller: Caller, elsewhere: number): EpochReader {
    if (o.isDraining()) throw unavailable('draining', 'This gateway is about to stop. Connect again.')
    const epochReader = o.epochReader()
    if (epochReader === undefined) throw unavailable('starting', 'The log cannot be read yet. Try again.')
    // Until the changes of keys were read once, a revocation of this one meanwhile would go unnoticed.
    if (!o.auth.ready) throw unavailable('starting', 'The keys cannot be read yet. Try again.')
    const { registry } = o.streams
    if (registry.size >= o.streamsMax) throw unavailable('gateway_full', 'This gateway has no room. Try again.')
    if (registry.ofKey(caller.keyId).size >= o.streamsPerKeyMax) throw tooMany('This API key', o.streamsPerKeyMax)
    const tenantMax = caller.limits.streams ?? o.streamsPerTenantMax
    if (registry.countOfTenant(caller.tenant) + elsewhere >= tenantMax) throw tooMany('This tenant', tenantMax)
    return epochReader
  }

  return openStream
}

interface Credential {
  readonly caller: Caller
  readonly filter: EventFilter
}

function filterOf(parameters: StreamParameters): EventFilter {
  const { task_id: taskId, session_id: sessionId, agent, types } = parameters
  return {
    ...(taskId === undefined ? {} : { taskId }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(agent === undefined ? {} : { agent }),
    ...(types === undefined ? {} : { types }),
  }
}

/** The header wins over the parameter, and both over `after`, so that a browser that reconnects with its old URL resumes. */
function startOf(req: IncomingMessage, parameters: StreamParameters, ids: StreamIds): AskedStart {
  const header = req.headers['last-event-id']
  const id = typeof header === 'string' && header !== '' ? header : parameters.last_event_id
  if (id !== undefined) {
    const place = ids.open(id)
    if (place === undefined) {
      throw badParameter(id === header ? 'Last-Event-ID' : 'last_event_id', 'must be an id that this stream sent')
    }
    return { kind: 'id', id, place }
  }
  const { after } = parameters
  if (after === undefined) return { kind: 'now' }
  // A moment that is yet to come is now. It is looked up before the answer begins: what is appended after the answer is shown.
  const atMs = Math.min(after.floorMs, Date.now())
  return { kind: 'time', text: new Date(after.floorMs).toISOString(), atMs }
}

/** A stream that was opened by a token ends with it, or with the token's key if that expires first. */
function endingWith(caller: Caller, { expiresAtMs }: { readonly expiresAtMs: number }): Caller {
  return { ...caller, endsAtMs: Math.min(caller.endsAtMs ?? Infinity, expiresAtMs) }
}

/**
 * Sends the head at once; what follows is written to the socket, framed as chunks when `res.chunkedEncoding` says so. There is
 * no `Connection` header: after `Connection: close` some clients (undici) take a cut connection for a complete answer.
 */
function writeHead(res: ServerResponse): void {
  res.removeHeader('Connection')
  res.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  })
  res.flushHeaders()
}

function badParameter(parameter: string, message: string): Problem {
  return new Problem(400, 'invalid_parameter', {
    detail: `Cannot read: ${parameter}.`,
    errors: [{ parameter, code: 'invalid_parameter', message }],
  })
}

function tooMany(whose: string, max: number): Problem {
  return new Problem(429, 'too_many_streams', {
    detail: `${whose} has ${max} streams open, which is all that it may have.`,
    headers: { 'Retry-After': '5' },
  })
}

function unavailable(code: string, detail: string): Problem {
  return new Problem(503, code, { detail, headers: { 'Retry-After': '1' } })
}
