import type { IncomingMessage, ServerResponse } from 'node:http'
import { ByteBudget } from '@ariftly/fairness'
import { requestContext } from '../answers/request-context.ts'

/** How much may wait for clients that do not read their answers. */
export interface UnreadLimits {
  /** Bytes of all answers of a server. Beyond it the largest ones of the tenant that holds most are cut. */
  readonly bytesMax: number
  /** A client that takes nothing of its answer for this long is cut. */
  readonly timeoutMs: number
}

/** The tenant of answers to requests without a key; no real tenant has this name. */
const NO_KEY = ''

/**
 * The answers of a server that are written and not yet taken by their clients. Without a bound a few hundred clients that
 * read nothing would hold all memory of a process. Answers to requests without a key count as one tenant's, so they never
 * cut the answer of a tenant that holds less than they do. Bytes that several answers share count for each.
 */
export class UnreadAnswers {
  readonly #timeoutMs: number
  readonly #budget: ByteBudget

  constructor({ bytesMax, timeoutMs }: UnreadLimits) {
    this.#timeoutMs = timeoutMs
    this.#budget = new ByteBudget({ bytesMax })
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
