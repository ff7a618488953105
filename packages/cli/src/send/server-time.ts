/** The time of the server, learned from its answers. */
export interface ServerTime {
  /** For the client whose answers are read. */
  readonly fetch: typeof fetch
  /** Unix milliseconds by the server's clock; by this machine's before the first answer, and where the two are less than 2 s apart. */
  now(): number
}

/** `Date` headers have whole seconds. */
const TOLERANCE_MS = 2000

/** Watches the `Date` header of answers. */
export function createServerTime(now: () => number, fetch: typeof globalThis.fetch): ServerTime {
  let offsetMs = 0
  return {
    async fetch(input, init) {
      const answer = await fetch(input, init)
      const serverMs = Date.parse(answer.headers.get('date') ?? '') + 500
      const apartMs = serverMs - now()
      if (Math.abs(apartMs) > TOLERANCE_MS) offsetMs = Math.round(apartMs)
      return answer
    },
    now: () => now() + offsetMs,
  }
}
