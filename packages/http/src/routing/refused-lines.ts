import type { LineMember } from '@ariftly/runtime'

/** The line of a request in the log, without its message. */
export interface RequestLine {
  readonly [member: string]: LineMember
  readonly duration_ms: number
}

/** Refusals since the last written line. */
interface Counted {
  readonly requests: number
  /** The last one's. */
  readonly line: RequestLine
  readonly longestMs: number
}

const EVERY_MS = 1000

/**
 * Aggregates the log lines of refusals. A key's first refusal is logged immediately; later ones are counted and logged once a
 * second, until a second without any, as the last one's line with the number of `requests` and the longest `duration_ms`.
 * Otherwise a flood would fill the log, and its lines would cost a tenth of its refusals. Counted ones are logged on exit.
 */
export function createRefusedLines(write: (line: RequestLine) => void): (keyId: string, line: RequestLine) => void {
  const byKey = new Map<string, Counted | undefined>()

  function writeCounted(): void {
    for (const [keyId, counted] of byKey) {
      if (counted === undefined) byKey.delete(keyId)
      else {
        byKey.set(keyId, undefined)
        write({ ...counted.line, duration_ms: counted.longestMs, requests: counted.requests })
      }
    }
    if (byKey.size > 0) setTimeout(writeCounted, EVERY_MS)
  }

  return function noteRefused(keyId, line) {
    if (byKey.has(keyId)) {
      const { requests, longestMs } = byKey.get(keyId) ?? NOTHING
      byKey.set(keyId, { requests: requests + 1, line, longestMs: Math.max(longestMs, line.duration_ms) })
      return
    }
    if (byKey.size === 0) setTimeout(writeCounted, EVERY_MS)
    byKey.set(keyId, undefined)
    write({ ...line, requests: 1 })
  }
}

const NOTHING = { requests: 0, longestMs: 0 } as const
