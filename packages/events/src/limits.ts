const DAY_MS = 86_400_000

/**
 * Every limit of an event and of a request; code, schemas and documentation read them here. Units are in the names; `…Max` is
 * inclusive.
 */
export const LIMITS = {
  /** Bytes of `data` as stored: white space out, first member in. */
  dataBytesMax: 256 * 1024,
  /** Levels of nesting of `data`; the object itself is the first. */
  dataDepthMax: 64,
  eventsPerRequestMax: 1000,
  /** Bytes of a request's body after decompression. */
  requestBytesMax: 5 * 1024 * 1024,
  /** How far an event's time may lie ahead when it is posted. */
  futureMsMax: 300_000,
  /** How old an event may be when it is posted, and how long history is kept. */
  historyMsMax: 90 * DAY_MS,
  identifierCharsMax: 128,
  idempotencyKeyCharsMax: 128,
  tenantCharsMax: 64,
  /** A record's id may be this much older than its append time. */
  recordPastMsMax: 91 * DAY_MS,
  /** A record's id may be this much newer than its append time. */
  recordFutureMsMax: 600_000,
} as const
