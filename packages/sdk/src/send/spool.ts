/** An event as a spool keeps it. */
export interface SpoolEntry {
  /** The event as JSON text, without an id that is not minted yet. */
  readonly json: string
  /** Time of the call, Unix milliseconds: an id is minted of it. */
  readonly atMs: number
}

/** An event that an earlier process left. */
export interface SpooledEvent extends SpoolEntry {
  readonly ticket: number
  /** The id under which it went out last; undefined when it never did. */
  readonly id?: string | undefined
}

/**
 * Keeps events until they are settled, beyond the life of the process. `openSpool` of `@ariftly/sdk/node` keeps them in files; another one may
 * keep them elsewhere. All calls are synchronous: when `send` returns, its events are kept, and when a request leaves, so are its ids.
 */
export interface Spool {
  /** Events that an earlier process left, oldest first. They are sent before all others. */
  recover(): readonly SpooledEvent[]
  /** Keeps events, all or none of them; returns a ticket for each. An error rejects the `send`. */
  append(events: readonly SpoolEntry[]): readonly number[]
  /** Keeps ids, by ticket. What it throws delays the request. */
  identify(ids: ReadonlyMap<number, string>): void
  /** The event of this ticket need not be kept any more. */
  settle(ticket: number): void
  close(): void
}
