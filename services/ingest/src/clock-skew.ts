import type { EventProducer } from '@ariftly/kafka'

/** How far the clock of this process is ahead of each leader's. */
export interface ClockSkew {
  /** Notes the append time of an acknowledgement that has just come. */
  note(leader: number, appendedAtMs: number): void
  /** Whether a post may be written to a leader: its clock agrees, or this one finds out whether it does again. */
  admit(leader: number): boolean
  /** True while the clock of some leader is too far off. */
  readonly isBeyond: boolean
  /** Epoch milliseconds by the earlier of the two clocks: what is minted by it is late for neither. */
  now(): number
  /** Milliseconds by which this process is ahead (negative: behind), by leader. */
  all(): ReadonlyMap<number, number>
}

/** Ids of events are judged by the append time of their leader (design 4.3), with ten minutes of room. */
const SKEW_MS_MAX = 60_000
/** The smallest of the differences seen in two such spans counts: it holds the least waiting. */
const SPAN_MS = 15_000
const TRIAL_EVERY_MS = 1_000

interface Leader {
  beganMs: number
  /** Least difference of the present and of the former span. */
  least: number
  formerLeast: number
  triedMs: number
}

/**
 * Compares the clocks by the append times of acknowledgements. Events that are minted by a clock far ahead would be
 * acknowledged and then be dead letters, so posts to such a leader are not written but for one a second, which is minted by
 * the earlier clock and shows when the clocks agree again.
 */
export function createClockSkew(o: { readonly now?: () => number } = {}): ClockSkew {
  const { now = Date.now } = o
  const leaders = new Map<number, Leader>()

  const aheadOf = ({ least, formerLeast }: Leader): number => Math.min(least, formerLeast)
  const isOff = (leader: Leader): boolean => Math.abs(aheadOf(leader)) > SKEW_MS_MAX

  function note(leader: number, appendedAtMs: number): void {
    const nowMs = now()
    const ahead = nowMs - appendedAtMs
    const known = leaders.get(leader)
    // A clock that was put right counts at once.
    if (known === undefined || isOff(known)) {
      leaders.set(leader, { beganMs: nowMs, least: ahead, formerLeast: Infinity, triedMs: known?.triedMs ?? 0 })
    } else if (Math.abs(nowMs - known.beganMs) < SPAN_MS) known.least = Math.min(known.least, ahead)
    else Object.assign(known, { beganMs: nowMs, formerLeast: known.least, least: ahead })
  }

  function admit(leader: number): boolean {
    const known = leaders.get(leader)
    if (known === undefined || !isOff(known)) return true
    if (Math.abs(now() - known.triedMs) < TRIAL_EVERY_MS) return false
    known.triedMs = now()
    return true
  }

  return {
    note,
    admit,
    get isBeyond() {
      for (const leader of leaders.values()) if (isOff(leader)) return true
      return false
    },
    now() {
      let ahead = 0
      for (const leader of leaders.values()) if (isOff(leader)) ahead = Math.max(ahead, aheadOf(leader))
      return now() - ahead
    },
    all: () => new Map(Array.from(leaders, ([id, leader]) => [id, aheadOf(leader)])),
  }
}

/** The producer, whose acknowledgements are compared with the clock. */
export function watchClocks(producer: Pick<EventProducer, 'send'>, skew: ClockSkew): Pick<EventProducer, 'send'> {
  const send: EventProducer['send'] = (records, options = {}) =>
    producer.send(records, {
      ...options,
      onOutcome(partition, outcome) {
        if (outcome.type === 'written' && outcome.appendedAtMs >= 0) skew.note(outcome.leader, outcome.appendedAtMs)
        options.onOutcome?.(partition, outcome)
      },
    })
  return { send }
}
