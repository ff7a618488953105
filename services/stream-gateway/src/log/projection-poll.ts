import { startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { OffsetVector } from './offset-vector.ts'

interface ProjectionPollOptions {
  /** Reads the projection's position; partitions not projected yet are 0. */
  read(): Promise<OffsetVector>
  /** Pause before the next poll. */
  readonly everyMs: () => number
  /** Whether a newer position would change anything. If not, it is read only every {@link UNNEEDED_EVERY_MS}. */
  isNeeded(): boolean
  onPosition(position: OffsetVector): void
  readonly log: Pick<Logger, 'warn' | 'info'>
}

/** The polling of the events projection's position. */
export interface ProjectionPoll {
  /** `ok`, or that Postgres cannot be read. */
  state(): string
  close(): Promise<void>
}

/** Also polled while not needed: it shows whether Postgres can be read and how far kept history reaches back. */
const UNNEEDED_EVERY_MS = 10_000

/** Polls the projection's position: ids below it may be dropped, and streams that wait for it continue. */
export function startProjectionPoll(o: ProjectionPollOptions): ProjectionPoll {
  let state = 'not read yet'
  let readAtMs = -Infinity

  async function readPosition(signal: AbortSignal): Promise<number> {
    if (state === 'ok' && !o.isNeeded() && performance.now() - readAtMs < UNNEEDED_EVERY_MS) return o.everyMs()
    const position = await o.read()
    if (signal.aborted) return 0
    o.onPosition(position)
    state = 'ok'
    readAtMs = performance.now()
    return o.everyMs()
  }

  const poll = startPoll({
    step: readPosition,
    retryMs: o.everyMs,
    onFailure() {
      state = 'down'
    },
    log: o.log,
    failing: 'the projection cannot be read',
    onRecovered: () => o.log.info({}, 'the projection can be read again'),
  })

  return {
    state: () => state,
    close: poll.close,
  }
}
