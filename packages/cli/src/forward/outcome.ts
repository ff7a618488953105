/** One event on its way to the target. */
export interface ForwardedEvent {
  readonly id: string
  readonly type: string
  /** Order holds among events of one key: the task, else the session. */
  readonly key: string
  /** The event as the server sent it. */
  readonly body: Buffer
}

/** How one attempt ended. `unreachable`: no connection was made, so the target has seen nothing. */
export type AttemptOutcome =
  | { readonly type: 'delivered'; readonly status: number }
  | { readonly type: 'failed'; readonly status: number | undefined; readonly reason: string }
  | { readonly type: 'unreachable'; readonly reason: string }

/** Makes one attempt; never rejects. */
export type Attempt = (event: ForwardedEvent) => Promise<AttemptOutcome>

/** How forwarding an event ended. */
export interface Settled {
  readonly event: ForwardedEvent
  readonly result: 'delivered' | 'failed'
  /** The status of the last attempt. */
  readonly status: number | undefined
  /** Why it was given up. */
  readonly reason: string | undefined
  readonly attempts: number
  /** Milliseconds of the last attempt. */
  readonly durationMs: number
}
