/**
 * What is known of a record of the ring:
 * - `shown`: no duplicate of an earlier record. Whether it is an event at all is found out when it is decoded.
 * - `unchecked`: an earlier record with its id may be in Postgres alone, and no look-up was made yet.
 * - `hidden`: a duplicate or a dead letter; no stream shows it.
 */
export type RecordState = (typeof RECORD_STATES)[number]

/** By the number under which the ring keeps each. */
export const RECORD_STATES = ['shown', 'unchecked', 'hidden'] as const
