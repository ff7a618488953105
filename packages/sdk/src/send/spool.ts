/** An event as a spool keeps it. */
export interface SpoolEntry {
  /** The event as JSON text, without an id that this client mints. */
  readonly json: string
  /** Time of the call, Unix milliseconds. */
  readonly atMs: number
  /** The minted id; undefined when `json` has one, or the server derives it. */
  readonly id: string | undefined
}

/** An event that an earlier process left. */
export interface SpooledEvent extends SpoolEntry {
  readonly ticket: number
}

/**
 * Keeps events until they are settled, beyond the life of the process. `openSpool` of `@ariftly/sdk/node` keeps them in files; another one may
 * keep them elsewhere. All calls are synchronous: when `send` returns, its events are kept with their ids.
 */
export interface Spool {
  /** Events that an earlier process left, oldest first. They are sent before all others. `warn` gets what cannot be read. */
  recover(warn: (text: string) => void): readonly SpooledEvent[]
  /** Keeps events, all or none of them; returns a ticket for each. An error rejects the `send`. */
  append(events: readonly SpoolEntry[]): readonly number[]
  /** Keeps another id in place of one that the server refused because of a clock. What it throws delays the event. */
  replaceId(ticket: number, id: string): void
  /** The event of this ticket need not be kept any more. */
  settle(ticket: number): void
  close(): void
}
