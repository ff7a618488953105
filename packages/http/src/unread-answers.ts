import type { ServerResponse } from 'node:http'

/** How much may wait for clients that do not read their answers. */
export interface UnreadLimits {
  /** Bytes of all answers of a server. Beyond it the largest ones are cut. */
  readonly bytesMax: number
  /** A client that takes nothing of its answer for so long is cut. */
  readonly timeoutMs: number
}

/** After a cut there is room for some time. */
const ROOM = 0.8

/**
 * The answers of a server that were written whole and that their clients have not taken yet. Without a bound a few hundred clients
 * that read nothing would hold all memory of a process.
 */
export class UnreadAnswers {
  readonly #limits: UnreadLimits
  /** Bytes of each as last counted: an upper bound. */
  readonly #bytesOf = new Map<ServerResponse, number>()
  #bytes = 0

  constructor(limits: UnreadLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Looks after an answer from its end on. To be called before it is written. */
  watch(res: ServerResponse): void {
    // All of the answer was given to the socket.
    res.once('prefinish', () => this.#begin(res))
  }

  #begin(res: ServerResponse): void {
    const bytes = res.writableLength
    if (bytes === 0 || res.destroyed) return
    res.setTimeout(this.#limits.timeoutMs)
    this.#note(res, bytes)
    res.once('close', () => this.#note(res, 0))
    if (this.#bytes > this.#limits.bytesMax) this.#cutLargest()
  }

  #note(res: ServerResponse, bytes: number): void {
    this.#bytes += bytes - (this.#bytesOf.get(res) ?? 0)
    if (bytes === 0) this.#bytesOf.delete(res)
    else this.#bytesOf.set(res, bytes)
  }

  #cutLargest(): void {
    for (const res of this.#bytesOf.keys()) this.#note(res, res.writableLength)
    for (const [res] of [...this.#bytesOf].toSorted(([, one], [, other]) => other - one)) {
      if (this.#bytes <= this.#limits.bytesMax * ROOM) return
      this.#note(res, 0)
      res.destroy()
    }
  }
}
