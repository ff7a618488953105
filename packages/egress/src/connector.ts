import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { checkAddress } from './address-policy.ts'
import { codeOf, EgressFault, toEgressFault } from './fault.ts'
import type { EgressPolicy } from './policy.ts'
import type { Resolve, ResolvedAddress } from './resolve.ts'
import { isLocalName } from './url-policy.ts'

/** Opens a TCP connection to an address that has passed the policy. */
export type Dial = (o: { readonly address: string; readonly family: 4 | 6; readonly port: number }) => Socket

/** Times and address of a connection; filled in steps, so that a failed dial shows how far it got. */
export interface DialRecord {
  address: string | null
  dnsMs: number | null
  connectMs: number | null
  tlsMs: number | null
}

/** A guarded dial. */
export interface GuardedDial {
  readonly hostname: string
  readonly port: number
  readonly secureContext: SecureContext | undefined
  readonly policy: EgressPolicy
  readonly resolve: Resolve
  readonly dial: Dial
  readonly signal: AbortSignal
  readonly record: DialRecord
}

/** Codes of look-ups that were answered: there is no such name, or it has no address. */
const NOT_FOUND: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA'])
const ADDRESSES_TRIED_MAX = 3
/** How long one of several addresses may take before the next one is tried. */
const ADDRESS_MS_MAX = 4000

/** Opens a socket for real. */
export const dialTcp: Dial = ({ address, family, port }) =>
  connectTcp({ host: address, family, port, noDelay: true, keepAlive: true, autoSelectFamily: false })

/**
 * Opens a connection: the name is resolved once, each address is checked, and a checked address is dialled, so that no second
 * look-up can return another one. TLS verifies the name. Rejects with an EgressFault: `dns_error` when the name has no address
 * that may be dialled, `blocked` when the URL itself names an address or this machine.
 */
export async function dialGuarded(o: GuardedDial): Promise<Socket> {
  const startedAt = performance.now()
  const addresses = await resolveOnce(o)
  o.record.dnsMs = performance.now() - startedAt
  const verdicts = addresses.map((candidate) => ({ candidate, verdict: checkAddress(candidate.address, o.policy) }))
  const open = verdicts.filter(({ verdict }) => verdict.ok).map(({ candidate }) => candidate)
  if (open.length === 0) {
    const [refused] = verdicts
    o.record.address = refused?.candidate.address ?? null
    const reason = refused === undefined || refused.verdict.ok ? 'not_found' : refused.verdict.reason
    if (literalOf(o.hostname) !== undefined)
      throw new EgressFault('blocked', `the URL names a ${reason} address`, reason)
    throw new EgressFault('dns_error', `the host resolves to a ${reason} address`, reason)
  }
  const connectAt = performance.now()
  const socket = await connectFirst(o, open.slice(0, ADDRESSES_TRIED_MAX))
  o.record.connectMs = performance.now() - connectAt
  if (o.secureContext === undefined) return socket
  const tlsAt = performance.now()
  const secure = await startTls(o, socket, o.secureContext)
  o.record.tlsMs = performance.now() - tlsAt
  return secure
}

async function resolveOnce(o: GuardedDial): Promise<readonly ResolvedAddress[]> {
  const literal = literalOf(o.hostname)
  if (literal !== undefined) return literal
  try {
    return await untilAborted(o.resolve(o.hostname), o.signal)
  } catch (error) {
    if (error instanceof EgressFault) throw error
    const reason = NOT_FOUND.has(codeOf(error) ?? '') ? 'not_found' : 'lookup_failed'
    throw new EgressFault('dns_error', error instanceof Error ? error.message : String(error), reason)
  }
}

/** The addresses of a host that needs no look-up: an IP address or a name of this machine; undefined for any other name. */
function literalOf(hostname: string): readonly ResolvedAddress[] | undefined {
  const family = isIP(hostname)
  if (family !== 0) return [{ address: hostname, family: family === 4 ? 4 : 6 }]
  if (!isLocalName(hostname)) return undefined
  return [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
}

async function connectFirst(o: GuardedDial, addresses: readonly ResolvedAddress[]): Promise<Socket> {
  let fault: EgressFault | undefined
  for (const [index, { address, family }] of addresses.entries()) {
    o.record.address = address
    const timeoutMs = index < addresses.length - 1 ? ADDRESS_MS_MAX : undefined
    try {
      const socket = o.dial({ address, family, port: o.port })
      await opened(socket, 'connect', o.signal, timeoutMs)
      return socket
    } catch (error) {
      fault = toEgressFault(error, 'connect')
      if (o.signal.aborted) throw fault
    }
  }
  throw fault ?? new EgressFault('connection_refused', 'no address')
}

async function startTls(o: GuardedDial, socket: Socket, secureContext: SecureContext): Promise<TLSSocket> {
  const servername = isIP(o.hostname) === 0 ? o.hostname.replace(/\.$/, '') : undefined
  const secure = connectTls({
    socket,
    host: servername ?? o.hostname,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    ...(servername === undefined ? {} : { servername }),
  })
  try {
    await opened(secure, 'secureConnect', o.signal, undefined)
    return secure
  } catch (error) {
    socket.destroy()
    throw toEgressFault(error, 'tls')
  }
}

/** Waits for a socket's event; on an error, an abort or after `timeoutMs` the socket is destroyed and the wait rejects. */
function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  timeoutMs: number | undefined,
) {
  return new Promise<void>((resolve, reject) => {
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => fail(new EgressFault('timeout', 'no connection in time')), timeoutMs)
    const onAbort = () => fail(abortFault(signal))
    const onClose = () => fail(new EgressFault('connection_reset', 'closed while it was opened'))
    function settle() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('error', fail).off('close', onClose).off(event, done)
    }
    function done() {
      settle()
      resolve()
    }
    function fail(error: unknown) {
      settle()
      socket.destroy()
      reject(error)
    }
    socket.on('error', () => {}) // An error between two listeners, or after destroy, must not end the process.
    socket.once('error', fail).once('close', onClose).once(event, done)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Waits for a promise or an abort, whichever is first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abortFault(signal))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function abortFault(signal: AbortSignal): EgressFault {
  return signal.reason instanceof EgressFault ? signal.reason : new EgressFault('timeout', 'ended before an answer')
}
