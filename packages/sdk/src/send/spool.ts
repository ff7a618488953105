/** An event that an earlier process left behind. */
export interface SpooledEvent {
  readonly ticket: number
  /** The event as JSON text. */
  readonly json: string
}

/**
 * Keeps events until they are settled, beyond the life of the process. `openSpool` of `@ariftly/sdk/node` keeps them in files; another one may
 * keep them elsewhere. All calls are synchronous: when `send` returns, its event is kept.
 */
export interface Spool {
  /** Events that an earlier process left, oldest first. They are sent before all others. */
  recover(): readonly SpooledEvent[]
  /** Keeps an event; answers with a ticket. */
  append(json: string): number
  /** The event of this ticket needs to be kept no longer. */
  settle(ticket: number): void
  close(): void
}
