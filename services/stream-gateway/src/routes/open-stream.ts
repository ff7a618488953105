import type { IncomingMessage, ServerResponse } from 'node:http'
import { isApiKeyShaped, type Authenticator } from '@ariftly/auth'
import { Problem, type Caller, type Sealer, type StreamIds } from '@ariftly/http'
import { FILTER_NAMES, filterOf, type EventFilter } from '@ariftly/events'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import { streamFilter } from '../hub/filter.ts'
import type { AskedStart } from '../streams/stream-starts.ts'
import type { Streams } from '../streams/streams.ts'
import { queryToken, readStreamParameters, type StreamParameters } from './parameters.ts'
import { openStreamToken } from './stream-token.ts'

/** Options of {@link createOpenStream}. */
export interface OpenStreamOptions {
  readonly auth: Pick<Authenticator, 'authenticate' | 'authenticateKeyId' | 'ready'>
  readonly ids: StreamIds
  readonly sealer: Sealer
  readonly streams: Streams
  epochReader(): EpochReader | undefined
  /** Whether there is no reader because the log is not the one of the current epoch. */
  isOtherLog(): boolean
  isDraining(): boolean
  readonly streamsMax: number
  readonly streamsPerKeyMax: number
  readonly streamsPerTenantMax: number
  /** Open streams of a tenant in other gateways; asked for tenants that have a limit. */
  streamsElsewhere(tenant: string): Promise<number>
}

/**
 * Answers `GET` and `POST /v1/events/stream`. All refusals are before the answer starts. Any status but 200 ends a browser's
 * EventSource for good, so what is only late (history, a position ahead of this gateway) is waited for inside the stream.
 * Nothing but the credential is read before it is verified.
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
    // A revocation during the awaits above finds no stream to end, so the key is checked after the last of them: there is no
    // await from here to the opening.
    const { caller: current } = await callerOf(req, parameters)
    const epochReader = admit(current, elsewhere)
    const { socket } = req
    if (socket.destroyed) return
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
      throw badParameter('token', `holds the filter: leave out ${Object.values(FILTER_NAMES).join(', ')} and types`)
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
    const epochReader = readerOf(o)
    // Until the key feed was read once, a revocation of this key could be missed.
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

function readerOf(o: Pick<OpenStreamOptions, 'epochReader' | 'isOtherLog'>): EpochReader {
  const epochReader = o.epochReader()
  if (epochReader !== undefined) return epochReader
  if (o.isOtherLog()) {
    throw unavailable('log_identity_changed', 'The log is not the one that the streams show. Try again.')
  }
  throw unavailable('starting', 'The log cannot be read yet. Try again.')
}

interface Credential {
  readonly caller: Caller
  readonly filter: EventFilter
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
  // A time in the future means now. It is looked up before the answer starts: events appended after the answer are shown.
  const atMs = Math.min(after.floorMs, Date.now())
  return { kind: 'time', text: new Date(after.floorMs).toISOString(), atMs }
}

/** A stream that was opened by a token ends with it, or with the token's key if that expires first. */
function endingWith(caller: Caller, { expiresAtMs }: { readonly expiresAtMs: number }): Caller {
  return { ...caller, endsAtMs: Math.min(caller.endsAtMs ?? Infinity, expiresAtMs) }
}

/**
 * Sends the head; the body is written to the socket, in chunks when `res.chunkedEncoding` is set. There is no `Connection`
 * header: after `Connection: close` some clients (undici) take a cut connection for a complete answer.
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
