import { isIdInWindow } from '@ariftly/events'
import type { EventProducer } from '@ariftly/kafka'

/** How far the clock of this process is ahead of each leader's. */
export interface ClockSkew {
  /** Records an acknowledgement that has just arrived, `tookMs` after its send began. */
  note(leader: number, ack: { readonly appendedAtMs: number; readonly tookMs: number }): void
  /** Epoch milliseconds for minted ids: the own clock, corrected when it differs from every leader's. */
  now(): number
  /** The latest of the own clock and the leaders': any of them may be right, and a caller's time must not be refused for that. */
  latest(): number
  /**
   * The append time to expect, by the leader's clock, when ids of these times would be out of the window of readers; such events
   * are not to be written. Undefined: they may be, also where that shows whether the clocks agree again (once a second for each leader).
   */
  forecast(leader: number, idTimes: readonly number[]): number | undefined
  /** Whether the clock of some leader is more than a minute off. */
  readonly isBeyond: boolean
  /** Lower bound of how far this process is ahead (negative: behind), ms, by leader. */
  all(): ReadonlyMap<number, number>
}

interface ClockSkewOptions {
  /** Called when {@link ClockSkew.isBeyond} has changed. */
  readonly onChange?: (isBeyond: boolean) => void
  /** Epoch milliseconds, by a clock that may be set. */
  readonly wall?: () => number
  /** Milliseconds, by a clock that never steps. */
  readonly monotonic?: () => number
}

/** Readers take ids up to ten minutes ahead of the append time (`LIMITS.recordFutureMsMax`), so a smaller difference does no harm. */
const SKEW_MS_MAX = 60_000
/** A difference of wall and monotonic clock that has changed by less may be a pause between their two readings. */
const STEP_MS = 100
const TRIAL_EVERY_MS = 1_000
/** A broker without an acknowledgement for this long, while another has some, may have left the cluster. */
const FORGET_MS = 600_000

interface Leader {
  aheadMs: number
  /** By the monotonic clock. */
  heardMs: number
  /** When events were written last that were expected to be out of the window, by the monotonic clock. */
  triedMs: number
}

/**
 * Compares the clocks by the append times of acknowledgements. Each was appended between the start of its send and its arrival, so that it
 * bounds the difference of the two clocks, however slow the broker is. A step of the own clock is a change of its distance from the
 * monotonic one; it counts from the first reading after it.
 */
export function createClockSkew(o: ClockSkewOptions = {}): ClockSkew {
  const { wall = Date.now, monotonic = () => performance.now(), onChange } = o
  const leaders = new Map<number, Leader>()
  let offsetMs = wall() - monotonic()
  let correctionMs = 0
  /** How far the own clock is behind the latest. */
  let behindMs = 0
  let isBeyond = false

  function read(): number {
    const nowMs = wall()
    const stepMs = nowMs - monotonic() - offsetMs
    if (Math.abs(stepMs) < STEP_MS) return nowMs
    offsetMs += stepMs
    for (const leader of leaders.values()) leader.aheadMs += stepMs
    compare()
    return nowMs
  }

  function note(leader: number, { appendedAtMs, tookMs }: { appendedAtMs: number; tookMs: number }): void {
    const mostMs = read() - appendedAtMs
    const leastMs = mostMs - tookMs
    const heardMs = monotonic()
    const triedMs = leaders.get(leader)?.triedMs ?? Number.NEGATIVE_INFINITY
    leaders.set(leader, { aheadMs: Math.max(leastMs, Math.min(mostMs, 0)), heardMs, triedMs })
    for (const [id, known] of leaders) if (heardMs - known.heardMs > FORGET_MS) leaders.delete(id)
    compare()
  }

  function compare(): void {
    const was = isBeyond
    isBeyond = false
    behindMs = 0
    let nearestMs = Number.POSITIVE_INFINITY
    for (const leader of leaders.values()) {
      if (isOff(leader)) isBeyond = true
      behindMs = Math.max(behindMs, -leader.aheadMs)
      if (Math.abs(leader.aheadMs) < Math.abs(nearestMs)) nearestMs = leader.aheadMs
    }
    correctionMs = leaders.size > 0 && isOff({ aheadMs: nearestMs }) ? nearestMs : 0
    if (was !== isBeyond) onChange?.(isBeyond)
  }

  function forecast(leader: number, idTimes: readonly number[]): number | undefined {
    const known = leaders.get(leader)
    if (known === undefined || !isOff(known)) return undefined
    const leaderMs = read() - known.aheadMs
    if (idTimes.every((ms) => isIdInWindow(ms, leaderMs))) return undefined
    const nowMs = monotonic()
    if (nowMs - known.triedMs < TRIAL_EVERY_MS) return leaderMs
    known.triedMs = nowMs
    return undefined
  }

  return {
    note,
    forecast,
    now: () => read() - correctionMs,
    latest: () => read() + behindMs,
    get isBeyond() {
      read()
      return isBeyond
    },
    all() {
      read()
      return new Map(Array.from(leaders, ([id, { aheadMs }]) => [id, aheadMs]))
    },
  }
}

function isOff({ aheadMs }: Pick<Leader, 'aheadMs'>): boolean {
  return Math.abs(aheadMs) > SKEW_MS_MAX
}

/** The producer, whose acknowledgements are compared with the clock. */
export function watchClocks(producer: Pick<EventProducer, 'send'>, skew: ClockSkew): Pick<EventProducer, 'send'> {
  const send: EventProducer['send'] = (records, options = {}) => {
    const startedMs = performance.now()
    return producer.send(records, {
      ...options,
      onOutcome(partition, outcome) {
        if (outcome.type === 'written' && outcome.appendedAtMs >= 0) {
          const { leader, appendedAtMs } = outcome
          skew.note(leader, { appendedAtMs, tookMs: performance.now() - startedMs })
        }
        options.onOutcome?.(partition, outcome)
      },
    })
  }
  return { send }
}
