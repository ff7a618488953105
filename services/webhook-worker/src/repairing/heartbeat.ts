import { randomUUID } from 'node:crypto'
import { startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import { beatWorker } from './worker-heartbeat.ts'

/** The heartbeat of this worker. */
export interface Heartbeat {
  /** UUID of this worker. */
  readonly id: string
  /**
   * Whether it has beaten without a pause for so long that a worker without a heartbeat is dead, and not one that could no
   * more reach Postgres than this one could.
   */
  readonly steady: () => boolean
  /** Resolves after the signal. The last heartbeat stays: other workers give back what this one could not, then forget it. */
  readonly ended: Promise<void>
}

/** Heartbeats in the time after which a worker without one is dead. */
const BEATS = 4

/** Beats until the signal aborts. `db` is a connection of its own, so that no other work delays it. */
export function startHeartbeat(o: {
  readonly db: Queryable
  /** A worker without a heartbeat for this long is dead. */
  readonly deadMs: number
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}): Heartbeat {
  const id = randomUUID()
  let steadySinceMs: number | undefined
  let lastMs = 0

  let startedMs = 0

  async function beat(): Promise<number> {
    startedMs = performance.now()
    await beatWorker(o.db, { id })
    const nowMs = performance.now()
    if (steadySinceMs === undefined || nowMs - lastMs > o.deadMs / 2) steadySinceMs = nowMs
    lastMs = nowMs
    return untilNext()
  }

  function untilNext(): number {
    return Math.max(0, o.deadMs / BEATS - (performance.now() - startedMs))
  }

  function steady(): boolean {
    const nowMs = performance.now()
    // After a pause of this process timers run in any order: other workers may be checked before the next heartbeat has seen the pause.
    const beatsNow = nowMs - lastMs <= o.deadMs / 2
    return beatsNow && steadySinceMs !== undefined && nowMs - steadySinceMs >= o.deadMs
  }

  const { ended } = startPoll({
    step: beat,
    retryMs: untilNext,
    onFailure() {
      steadySinceMs = undefined
    },
    signal: o.signal,
    log: o.log,
    failing: 'the heartbeat cannot be written',
  })
  return { id, steady, ended }
}
