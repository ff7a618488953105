import type { IncomingMessage } from 'node:http'
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions, type BrotliOptions } from 'node:zlib'
import { Problem } from '@ariftly/http'
import type { Content } from './content.ts'
import type { MemoryLease } from '../admission/memory-budget.ts'

/** Reads request bodies within limits of size, memory and time. */
export interface BodyReader {
  /**
   * The body, unpacked. Problems (thrown, or the promise rejects): 413 beyond the limit (packed or unpacked, bombs are never unpacked further), 503 if there is no memory, 408 if it
   * takes too long, 400 if it is not packed as its header says or ends early.
   */
  read(req: IncomingMessage, encoding: Content['encoding'], lease: MemoryLease): Promise<Buffer>
  close(): void
}

/** Options of {@link createBodyReader}. */
export interface BodyReaderOptions {
  readonly bytesMax: number
  readonly timeoutMs: number
}

interface Reading {
  readonly startedMs: number
  fail(problem: Problem): void
}

/** What a body may take. */
interface Limits {
  readonly lease: MemoryLease
  readonly bytesMax: number
}

/** Creates a reader. One timer checks all bodies, so that a request needs none. */
export function createBodyReader({ bytesMax, timeoutMs }: BodyReaderOptions): BodyReader {
  const readings = new Set<Reading>()
  const clock = setInterval(endSlowBodies, Math.min(500, timeoutMs / 2))
  clock.unref()

  function endSlowBodies(): void {
    const nowMs = performance.now()
    // In the order of their start: the first one within its time ends the check.
    for (const reading of readings) {
      if (nowMs - reading.startedMs < timeoutMs) return
      reading.fail(tooSlow())
    }
  }

  function read(req: IncomingMessage, encoding: Content['encoding'], lease: MemoryLease): Promise<Buffer> {
    const declared = Number(req.headers['content-length'] ?? 0)
    if (declared > bytesMax) throw tooLarge(bytesMax)
    const packed = receive(req, { lease, bytesMax, readings })
    return encoding === 'identity' ? packed : unpackLater(packed, encoding, { lease, bytesMax })
  }

  return { read, close: () => clearInterval(clock) }
}

/** Reads the raw body, which is in `readings` until it has ended. */
function receive(
  req: IncomingMessage,
  { lease, bytesMax, readings }: Limits & { readonly readings: Set<Reading> },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const reading: Reading = { startedMs: performance.now(), fail }
    readings.add(reading)
    req.on('data', onData)
    req.on('end', onEnd)
    req.on('error', onCut)
    req.on('close', onCut)
    // The connection may have been cut before a listener was added.
    if (req.destroyed) onCut()

    function onData(chunk: Buffer): void {
      bytes += chunk.length
      if (bytes > bytesMax) return fail(tooLarge(bytesMax))
      const room = lease.arrived(chunk.length, goOn)
      if (room === 'full') return fail(outOfMemory())
      if (room === 'wait') req.pause()
      chunks.push(chunk)
    }

    function goOn(): void {
      req.resume()
    }

    function onEnd(): void {
      settle()
      const [first] = chunks
      resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, bytes))
    }

    /** The client has disconnected: it does not receive this answer. */
    function onCut(): void {
      fail(new Problem(400, 'request_aborted', { detail: 'The request ended before its body did.' }))
    }

    function fail(problem: Problem): void {
      settle()
      chunks.length = 0
      reject(problem)
    }

    function settle(): void {
      readings.delete(reading)
      lease.bodyEnded()
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('close', onCut)
    }
  })
}

async function unpackLater(
  packed: Promise<Buffer>,
  encoding: Exclude<Content['encoding'], 'identity'>,
  { lease, bytesMax }: Limits,
): Promise<Buffer> {
  const bytes = await packed
  const likely = Math.min(bytesMax, Math.max(LIKELY_BYTES_MIN, LIKELY_RATIO * bytes.length))
  if (!lease.take(likely)) throw outOfMemory()
  const body = await unpack(bytes, encoding, likely)
  if (body !== undefined) return body
  if (!lease.take(bytesMax - likely)) throw outOfMemory()
  const long = likely < bytesMax ? await unpack(bytes, encoding, bytesMax) : undefined
  if (long === undefined) throw tooLarge(bytesMax)
  return long
}

/**
 * JSON is compressed about tenfold; this is the first reservation for decompressing a body. If that were the maximum of a body,
 * a dozen small compressed requests would use up a tenant's memory.
 */
const LIKELY_RATIO = 20
const LIKELY_BYTES_MIN = 64 * 1024
/** Each decompressed chunk costs a callback on the event loop; node's default is a quarter of this. */
const CHUNK_BYTES = 64 * 1024

type Unpack = (
  packed: Buffer,
  options: ZlibOptions & BrotliOptions,
  done: (error: Error | null, body: Buffer) => void,
) => void

/** Undefined if it would have more than `bytesMax`. */
async function unpack(
  packed: Buffer,
  encoding: 'gzip' | 'deflate' | 'br',
  bytesMax: number,
): Promise<Buffer | undefined> {
  return await new Promise((resolve, reject) => {
    unpackerOf(encoding, packed)(packed, { maxOutputLength: bytesMax, chunkSize: CHUNK_BYTES }, (error, body) => {
      if (error === null) resolve(body)
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') resolve(undefined)
      else reject(new Problem(400, 'invalid_encoding', { detail: `The body is not ${encoding}.` }))
    })
  })
}

function unpackerOf(encoding: 'gzip' | 'deflate' | 'br', packed: Buffer): Unpack {
  if (encoding === 'gzip') return gunzip
  if (encoding === 'br') return brotliDecompress
  // RFC 9110 means zlib by "deflate"; some clients send the bare stream.
  const isZlib = packed.length >= 2 && ((packed[0] ?? 0) & 15) === 8 && packed.readUInt16BE(0) % 31 === 0
  return isZlib ? inflate : inflateRaw
}

function tooLarge(bytesMax: number): Problem {
  return new Problem(413, 'body_too_large', { detail: `The body may have at most ${bytesMax} bytes, unpacked.` })
}

function tooSlow(): Problem {
  return new Problem(408, 'request_timeout', {
    detail: 'The body did not arrive in time.',
    headers: { Connection: 'close' },
  })
}

/** The Problem of a request for whose body there is no room. */
export function outOfMemory(): Problem {
  return new Problem(503, 'overloaded', {
    detail: 'Too many requests are under way. Nothing of this one was written.',
    headers: { 'Retry-After': '1' },
  })
}

/** Bytes that a client may send after an early answer, discarded, before its connection is cut. */
const REST_BYTES_MAX = 64 * 1024 * 1024
const REST_MS_MAX = 15_000

/**
 * After an answer before the body's end: discards the rest, so that the client gets the answer and can reuse the connection; a
 * rest that never ends is cut.
 */
export function discardRest(req: IncomingMessage): void {
  if (req.complete) return
  let bytes = 0
  const timer = setTimeout(() => req.socket.destroy(), REST_MS_MAX)
  timer.unref()
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > REST_BYTES_MAX) req.socket.destroy()
  })
  req.once('close', () => clearTimeout(timer))
  req.on('error', () => {})
  req.resume()
}
