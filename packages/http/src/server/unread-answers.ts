import type { IncomingMessage, ServerResponse } from 'node:http'
import { requestContext } from '../answers/request-context.ts'

/** How much may wait for clients that do not read their answers. */
export interface UnreadLimits {
  /** Bytes of all answers of a server. Beyond it the largest ones of the tenant that holds most are cut. */
  readonly bytesMax: number
  /** A client that takes nothing of its answer for so long is cut. */
  readonly timeoutMs: number
}

/** After a cut there is room for some time. */
const ROOM = 0.8

/** A tenant; undefined for all requests without a key together. */
type Holder = string | undefined

interface Unread {
  readonly holder: Holder
  /** As last counted: an upper bound. */
  readonly bytes: number
}

/**
 * The answers of a server that were written whole and that their clients have not taken yet. Without a bound a few hundred clients
 * that read nothing would hold all memory of a process. Answers to requests without a key count as those of one tenant, so strangers
 * never cut the answer of a tenant that holds less than they do. Bytes that several answers share count for each of them.
 */
export class UnreadAnswers {
  readonly #limits: UnreadLimits
  readonly #answers = new Map<ServerResponse, Unread>()
  #bytes = 0

  constructor(limits: UnreadLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Counts an answer from its end on. To be called before it is written. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    // All of the answer was given to the socket.
    res.once('prefinish', () => this.#begin(req, res))
  }

  #begin(req: IncomingMessage, res: ServerResponse): void {
    const bytes = res.writableLength
    if (bytes === 0 || res.destroyed) return
    res.setTimeout(this.#limits.timeoutMs)
    this.#note(res, { holder: requestContext(req, res).tenant, bytes })
    res.once('close', () => this.#forget(res))
    if (this.#bytes > this.#limits.bytesMax) this.#cut()
  }

  #note(res: ServerResponse, unread: Unread): void {
    this.#bytes += unread.bytes - (this.#answers.get(res)?.bytes ?? 0)
    this.#answers.set(res, unread)
  }

  #forget(res: ServerResponse): void {
    this.#bytes -= this.#answers.get(res)?.bytes ?? 0
    this.#answers.delete(res)
  }

  /** Cuts the largest answer of the holder that has most, again and again until there is room. */
  #cut(): void {
    for (const [res, { holder }] of this.#answers) this.#note(res, { holder, bytes: res.writableLength })
    const shares = this.#shares()
    while (this.#bytes > this.#limits.bytesMax * ROOM) {
      const largest = shares.reduce((one, other) => (other.bytes > one.bytes ? other : one))
      const answer = largest.answers.pop()
      if (answer === undefined) return
      largest.bytes -= answer.bytes
      this.#forget(answer.res)
      answer.res.destroy()
    }
  }

  /** What each holder has, its largest answer last. */
  #shares(): Share[] {
    const shares = new Map<Holder, Share>()
    for (const [res, { holder, bytes }] of this.#answers) {
      const share = shares.get(holder) ?? { bytes: 0, answers: [] }
      share.bytes += bytes
      share.answers.push({ res, bytes })
      shares.set(holder, share)
    }
    for (const { answers } of shares.values()) answers.sort((one, other) => one.bytes - other.bytes)
    return [...shares.values()]
  }
}

interface Share {
  bytes: number
  readonly answers: { readonly res: ServerResponse; readonly bytes: number }[]
}
