/**
 * The phases of a stream. Only its `Subscriber` changes them.
 *
 * ```
 * starting ──begin──▶ catchingUp ──goLive──▶ live ──overflow──▶ overfull
 *                      ▲  │   ▲  ▲            │                    │
 *          page is read│  │   │  └──fallBack──┘                    │
 *                      │  │   └────────────takes again─────────────┘
 *         readingHistory◀─┤
 *   waitingForProjection◀─┤   (both continue as catchingUp)
 *            aheadOfLog ◀─┘
 * any phase ──close──▶ closed
 * ```
 *
 * - `starting`: its position is being looked up.
 * - `catchingUp`: it walks the ring from its own position, or waits until its socket has room.
 * - `readingHistory`: a page from Postgres is being read, or waits for its tenant's turn.
 * - `waitingForProjection`: the next records are neither in the ring nor in Postgres yet, or a page could not be read.
 * - `aheadOfLog`: it has had all of the ring, and its position is above the ring's in some partition.
 * - `live`: it gets shared frames; its position is the ring's.
 * - `overfull`: too much is unsent; it gets nothing. It is closed if that does not change within some seconds.
 */
export type Phase = keyof typeof FROM

/** From which phases each phase may be entered: the one list of all phases. */
export const FROM = transitions({
  starting: [],
  catchingUp: ['starting', 'catchingUp', 'readingHistory', 'waitingForProjection', 'aheadOfLog', 'live', 'overfull'],
  readingHistory: ['catchingUp'],
  waitingForProjection: ['catchingUp', 'readingHistory'],
  aheadOfLog: ['catchingUp'],
  live: ['catchingUp'],
  overfull: ['live'],
  closed: ['starting', 'catchingUp', 'readingHistory', 'waitingForProjection', 'aheadOfLog', 'live', 'overfull'],
})

/** All phases. */
export const PHASES = Object.keys(FROM) as readonly Phase[]

/** Takes the phases from the names of a table, which may name no other one as an origin. */
function transitions<P extends string>(
  from: Readonly<Record<P, readonly NoInfer<P>[]>>,
): Readonly<Record<P, readonly P[]>> {
  return from
}
