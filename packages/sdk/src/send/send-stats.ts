/** Counts of events. `sent` is the sum of `accepted`, `refused`, `failed`, `aborted`, `returned`, `waiting`, `queued` and `in_flight`. */
export interface SendStats {
  readonly sent: number
  readonly accepted: number
  readonly refused: number
  /** Given up with an error that is about no single event, such as a revoked key. */
  readonly failed: number
  /** Taken back by their signal before they were posted. */
  readonly aborted: number
  /** Given back by `close`. */
  readonly returned: number
  /** Events of `send` calls that wait for room in the queue. */
  readonly waiting: number
  /** In the queue. */
  readonly queued: number
  /** In requests that are under way. */
  readonly in_flight: number
  /** Requests made so far. */
  readonly requests: number
  /** How often a request failed as a whole, or a task was delayed. */
  readonly retries: number
}
