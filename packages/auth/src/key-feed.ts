import { startPoll } from '@ariftly/async'
import { messageOf, withTimeout, type Logger } from '@ariftly/runtime'
import type { ApiKeyChange, ApiKeyStore } from '@ariftly/store/api-keys'

interface KeyFeedOptions extends Pick<ApiKeyStore, 'latestChange' | 'changesSince'> {
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Milliseconds of a monotonic clock. */
  readonly monotonicNow: () => number
  readonly feedEveryMs?: number
  /** Called with each change, in order, once. */
  onChange(change: ApiKeyChange): void
  /** The feed ends before the last change read: the store was replaced or restored from a backup. */
  onReset(): void
  /** Changes were removed before they were read. */
  onMissed(): void
  /** Called at each round, whether or not the store could be read. */
  onTick(): void
}

/** The reading of the feed. */
export interface KeyFeed {
  /** Whether the start of the feed is known: later changes are not missed. */
  started(): boolean
  /** Milliseconds since the feed was last read; Infinity before. */
  ageMs(): number
  /** `ok`, or the reason of the failure. */
  state(): string
  close(): Promise<void>
}

/** A read that takes longer counts as failed. */
const READ_TIMEOUT_MS = 2000

/** Reads the feed of key changes every 500 ms, also while the store is unavailable. Never two reads at a time. */
export function startKeyFeed(options: KeyFeedOptions): KeyFeed {
  const { latestChange, changesSince, log, now, monotonicNow, feedEveryMs = 500 } = options
  let seq: number | undefined
  let read: { readonly atMs: number; readonly monotonicMs: number } | undefined
  let failure: string | undefined = 'not read yet'

  /** Returns the pause before the next read; 0 when there is more to read. */
  async function readOnce(): Promise<number> {
    // Taken before the query: the answer may be that old.
    const asked = { atMs: now(), monotonicMs: monotonicNow() }
    try {
      const more = await withTimeout(advance(), READ_TIMEOUT_MS, () => new Error('The feed took too long.'))
      read = asked
      failure = undefined
      return more ? 0 : feedEveryMs
    } finally {
      options.onTick()
    }
  }

  async function advance(): Promise<boolean> {
    if (seq === undefined) {
      const latest = await latestChange()
      // A read that timed out must not advance past changes after a later read.
      seq ??= latest
      return false
    }
    const from = seq
    const { latestSeq, removedSeq, changes } = await changesSince(from)
    // A read that timed out must not undo a later read.
    if (seq !== from) return true
    if (latestSeq < from) {
      seq = latestSeq
      options.onReset()
      return false
    }
    if (from < removedSeq) {
      seq = latestSeq
      options.onMissed()
      return false
    }
    for (const change of changes) {
      options.onChange(change)
      seq = change.seq
    }
    return changes.length > 0 && seq < latestSeq
  }

  const poll = startPoll({
    step: readOnce,
    everyMs: feedEveryMs,
    onFailure(error) {
      const since = read === undefined ? '' : ` since ${new Date(read.atMs).toISOString()}`
      failure = `cannot be read${since}: ${messageOf(error)}`
    },
    log,
    failing: 'the feed of key changes cannot be read',
    onRecovered: () => log.info('the feed of key changes can be read again'),
  })

  return {
    started: () => seq !== undefined,
    ageMs: () => (read === undefined ? Infinity : monotonicNow() - read.monotonicMs),
    state: () => failure ?? 'ok',
    close: poll.close,
  }
}
