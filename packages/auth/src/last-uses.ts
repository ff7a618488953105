import type { Logger } from '@ariftly/runtime'
import { minuteOf, type KeyCache } from './key-cache.ts'

/** Notes when keys were last used. */
export interface LastUses {
  /** Called often; writes once each 15 s at most. */
  onTick(): void
  /** Writes the uses that are not stored yet. */
  flush(): Promise<void>
}

interface LastUsesOptions {
  readonly cache: Pick<KeyCache, 'unnoted'>
  readonly touch: (uses: readonly { readonly id: string; readonly usedAtMs: number }[]) => Promise<void>
  /** Milliseconds of a monotonic clock. */
  readonly monotonicNow: () => number
  readonly log: Pick<Logger, 'warn'>
}

const EVERY_MS = 15_000
const KEYS_PER_WRITE_MAX = 1000

/** Writes the minute of each key's last use, off the path of requests. A use that cannot be written is written with a later one. */
export function createLastUses({ cache, touch, monotonicNow, log }: LastUsesOptions): LastUses {
  let flushedMs = monotonicNow()
  let running = false

  function onTick(): void {
    if (running || monotonicNow() - flushedMs < EVERY_MS) return
    flushedMs = monotonicNow()
    void flush()
  }

  async function flush(): Promise<void> {
    running = true
    try {
      const entries = cache.unnoted()
      for (let at = 0; at < entries.length; at += KEYS_PER_WRITE_MAX) {
        const uses = entries.slice(at, at + KEYS_PER_WRITE_MAX).map((entry) => ({ entry, usedAtMs: entry.usedAtMs }))
        await touch(uses.map(({ entry, usedAtMs }) => ({ id: entry.caller.keyId, usedAtMs })))
        for (const { entry, usedAtMs } of uses) entry.notedMinute = minuteOf(usedAtMs)
      }
    } catch (error) {
      log.warn({ err: error }, 'the last use of keys cannot be written')
    } finally {
      running = false
    }
  }

  return { onTick, flush }
}
