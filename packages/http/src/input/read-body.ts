import type { IncomingMessage } from 'node:http'
import { isUtf8Type, mediaTypeOf } from './media-type.ts'
import { Problem } from '../answers/problem.ts'

/** Reserves memory for received bytes; false if there is none. */
export type TakeMemory = (bytes: number) => boolean

/**
 * Reads a request's raw body, at most `bytesMax`. A larger one is a {@link Problem} 413, one for which there is no memory a
 * 503; its rest is read and discarded, so that the client gets the answer and can reuse the connection.
 */
export async function readBody(req: IncomingMessage, bytesMax: number, take?: TakeMemory): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax)
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    req.on('data', onData)
    req.once('end', onEnd)
    req.once('error', onCut)
    req.once('close', onCut)

    function onData(chunk: Buffer): void {
      bytes += chunk.length
      if (bytes > bytesMax) settle(() => reject(tooLarge(bytesMax)))
      else if (take?.(chunk.length) === false) settle(() => reject(outOfMemory()))
      else chunks.push(chunk)
    }

    function onEnd(): void {
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)))
    }

    /** The client has disconnected: it does not receive this answer. */
    function onCut(): void {
      settle(() => reject(new Problem(400, 'request_aborted', { detail: 'The request ended before its body did.' })))
    }

    function settle(outcome: () => void): void {
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('close', onCut)
      // A late error of a request still needs a listener, so it stays.
      req.resume()
      outcome()
    }
  })
}

/**
 * Reads a JSON body: `application/json`, UTF-8, not encoded; `undefined` without a body. Problems: 415, 413, and 400 for a
 * body that is not UTF-8 or not JSON. Numbers are JavaScript's, so do not read an event's `data` with this.
 */
export async function readJsonBody(req: IncomingMessage, bytesMax: number, take?: TakeMemory): Promise<unknown> {
  return (await readUnparsedJson(req, bytesMax, take))()
}

/**
 * The same for a body that is used later: checks it, and gives how to parse it again. Until then it holds its bytes alone, as
 * parsed it can be 20 times larger.
 */
export async function readUnparsedJson(
  req: IncomingMessage,
  bytesMax: number,
  take?: TakeMemory,
): Promise<() => unknown> {
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem(415, 'unsupported_encoding', { detail: 'Send the body without Content-Encoding.' })
  }
  const body = await readBody(req, bytesMax, take)
  if (body.length === 0) return () => undefined
  if (!isJson(req.headers['content-type'])) {
    throw unsupportedMediaType(req.headers['content-type'], 'application/json in UTF-8')
  }
  parseJson(body)
  return () => parseJson(body)
}

const TYPE_CHARS_MAX = 100

/** 415 that names the content type that came and the one to send. */
export function unsupportedMediaType(
  came: string | undefined,
  send: string,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  const found =
    came === undefined || came === '' ? 'There is no Content-Type' : `Content-Type is ${came.slice(0, TYPE_CHARS_MAX)}`
  return new Problem(415, 'unsupported_media_type', { detail: `${found}; send ${send}.`, headers })
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && mediaTypeOf(contentType) === 'application/json' && isUtf8Type(contentType)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseJson(body: Buffer): unknown {
  let text: string
  try {
    text = utf8.decode(body)
  } catch {
    throw new Problem(400, 'invalid_utf8', { detail: 'The body is not UTF-8.' })
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'malformed_json', { detail: 'The body is not JSON.' })
  }
}

function outOfMemory(): Problem {
  return new Problem(503, 'unavailable', {
    detail: 'Too many requests are under way. Nothing of this one was done.',
    headers: { 'Retry-After': '1' },
  })
}

function tooLarge(bytesMax: number): Problem {
  return new Problem(413, 'body_too_large', { detail: `The body may have at most ${bytesMax} bytes.` })
}
