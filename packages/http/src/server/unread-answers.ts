import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ByteBudget } from '@ariftly/fairness'
import { requestContext } from '../answers/request-context.ts'

/** How much may wait for clients that do not read their answers. */
export interface UnreadLimits {
  /** Bytes of all answers of a server, and of requests that wait behind them. Beyond it the largest ones of the tenant that holds most are cut. */
  readonly bytesMax: number
  /** A client that takes nothing of its answer for this long is cut. */
  readonly timeoutMs: number
}

/** The tenant of requests without a key, and of those whose key is not read yet; no real tenant has this name. */
export const NO_KEY = ''

/**
 * The answers of a server that are written and not yet taken by their clients. Without a bound a few hundred clients that
 * read nothing would hold all memory of a process. Answers to requests without a key count as one tenant's, so they never
 * cut the answer of a tenant that holds less than they do. Bytes that several answers share count for each.
 */
export class UnreadAnswers {
  readonly #timeoutMs: number
  readonly #budget: ByteBudget

  constructor(timeoutMs: UnreadLimits['timeoutMs'], budget: ByteBudget) {
    this.#timeoutMs = timeoutMs
    this.#budget = budget
  }

  /** Counts an answer from its end on. To be called before it is written. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    // All of the answer was given to the socket.
    res.once('prefinish', () => this.#begin(req, res))
  }

  #begin(req: IncomingMessage, res: ServerResponse): void {
    if (res.writableLength === 0 || res.destroyed) return
    res.setTimeout(this.#timeoutMs)
    const share = this.#budget.open(requestContext(req, res).tenant ?? NO_KEY, {
      unsentBytes: () => res.writableLength,
      destroy: () => res.destroy(),
    })
    res.once('close', () => share.close())
    share.set(res.writableLength)
    this.#budget.enforce()
  }
}
