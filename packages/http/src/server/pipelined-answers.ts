import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ByteBudget, ByteShare } from '@ariftly/fairness'
import { NO_KEY } from './unread-answers.ts'

/**
 * Requests of one connection that may be without an answer. `node:http` hands over all requests of one read, which are more
 * than a thousand.
 */
const UNANSWERED_MAX = 16
/** What `node:http` makes for a request, without the text of its head. */
const REQUEST_BYTES = 4 * 1024
/** Bytes of a body that are read while its request waits: what `node:http` buffers, and the rest of one read. */
const BODY_BYTES_MAX = 80 * 1024

/** The requests of one connection. */
interface Line {
  /** Whether a request is being handled, or its answer is not closed. */
  isAnswering: boolean
  /** Requests that arrived meanwhile. */
  readonly waiting: (readonly [IncomingMessage, ServerResponse])[]
  /** What those hold. */
  share: ByteShare | undefined
}

/**
 * Handles the requests of each connection one after the other: the next one begins when the answer before it is closed. So every
 * answer has the socket (RFC 9112, section 9.3.2), counts in the budget of unread answers, and ends with its connection. Requests
 * that wait count there too; when there is no room, their connection is cut.
 */
export class PipelinedAnswers {
  readonly #handle: RequestListener
  readonly #budget: ByteBudget
  readonly #lines = new WeakMap<Duplex, Line>()

  constructor(handle: RequestListener, budget: ByteBudget) {
    this.#handle = handle
    this.#budget = budget
  }

  /** Handles a request when it is its turn; never, if its connection ends before. Too many requests on one connection cut it. */
  add(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    let line = this.#lines.get(socket)
    if (line === undefined) this.#lines.set(socket, (line = { isAnswering: false, waiting: [], share: undefined }))
    if (line.isAnswering) this.#wait(line, req, res)
    else this.#begin(line, req, res)
  }

  /** Whether a connection has an answer that is not closed. */
  isDue(socket: Duplex): boolean {
    return this.#lines.get(socket)?.isAnswering === true
  }

  #wait(line: Line, req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    if (socket.destroyed) return
    if (line.waiting.length + 1 >= UNANSWERED_MAX) return void socket.destroy()
    line.waiting.push([req, res])
    line.share ??= this.#budget.open(NO_KEY, {
      unsentBytes: () => bytesOf(line),
      destroy: () => socket.destroy(),
    })
    line.share.set(bytesOf(line))
    this.#budget.enforce()
  }

  #begin(line: Line, req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req
    // It is closed, or another answer was its last one: this one would not be sent.
    if (!socket.writable) return
    line.isAnswering = true
    res.once('close', () => this.#beginNext(line, socket))
    this.#handle(req, res)
  }

  #beginNext(line: Line, socket: Socket): void {
    line.isAnswering = false
    // Without requests that wait, which is the usual case.
    if (line.share === undefined) return
    if (!socket.writable) line.waiting.length = 0
    const next = line.waiting.shift()
    line.share.set(bytesOf(line))
    if (line.waiting.length === 0) {
      line.share.close()
      line.share = undefined
    }
    if (next === undefined) return
    // It may still be that of the answer before.
    socket.setTimeout(0)
    this.#begin(line, ...next)
  }
}

function bytesOf({ waiting }: Line): number {
  return waiting.reduce((bytes, [req]) => bytes + REQUEST_BYTES + headBytesOf(req) + bodyBytesOf(req), 0)
}

function headBytesOf({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((bytes, text) => bytes + text.length, url.length)
}

function bodyBytesOf({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return BODY_BYTES_MAX
  return Math.min(Number(headers['content-length'] ?? 0), BODY_BYTES_MAX)
}
