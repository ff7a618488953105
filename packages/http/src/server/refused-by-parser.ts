import { STATUS_CODES, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PipelinedAnswers } from './pipelined-answers.ts'
import { Problem, problemBody } from '../answers/problem.ts'
import { createRequestContext } from '../answers/request-context.ts'

/** How long the rest of a refused request is read and discarded: closing with unread bytes would reset the connection and lose the answer. */
const LINGER_MS = 1000

/**
 * Answers what `node:http` refuses before there is a request: a problem with an `X-Request-Id`, then the end of the connection. Its path is
 * unknown, so `instance` is `/`. A connection with an unfinished answer is cut: another answer would be taken for that one.
 */
export function answerRefusedByParser(server: Server, answers: Pick<PipelinedAnswers, 'isDue'>): void {
  const refused = new WeakSet<Duplex>()

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The parser refuses each chunk that follows, too.
    if (refused.has(socket)) return
    refused.add(socket)
    if (!socket.writable || error.code === 'ECONNRESET' || answers.isDue(socket)) {
      socket.destroy()
      return
    }
    socket.end(answerText(problemOf(error.code)))
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  })
}

function problemOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = 'The request line and the headers are longer than 16 KiB.'
    return new Problem(431, 'headers_too_large', { detail })
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'request_timeout', { detail: 'The request did not arrive in time.' })
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new Problem(413, 'body_too_large', { detail: 'The chunk extensions are too long.' })
  }
  return new Problem(400, 'malformed_request', { detail: 'This is not HTTP/1.1 (RFC 9112).' })
}

function answerText(problem: Problem): string {
  const { requestId } = createRequestContext(undefined, undefined)
  const body = JSON.stringify(problemBody(problem, '/', requestId))
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${requestId}`,
    '',
    body,
  ].join('\r\n')
}
