// The exports of this package stand here, by name.
export { LIMITS } from './limits.ts'
export { EVENT_TYPES, isEventType, isSessionType } from './event-type.ts'
export type { EventType } from './event-type.ts'
export { isIdentifier, isTenant } from './log-event.ts'
export type { EventFilter, LogEvent } from './log-event.ts'
export { catalogue } from './catalogue/catalogue.ts'
export type { CatalogueEntry } from './catalogue/entry.ts'
export { createEventIdMinter, deriveEventId, eventIdMs, newEventId } from './event-id.ts'
export { formatTypeId, newTypeId, parseTypeId, typeIdToUuid, uuidToTypeId } from './typeid.ts'
export { formatTimestamp, parseTimestamp } from './timestamp.ts'
export type { Timestamp } from './timestamp.ts'
export { renderEvent } from './render-event.ts'
export { renderSseFrame } from './sse-frame.ts'
export { partitionOf } from './partition.ts'
export { encodeRecord } from './encode-record.ts'
export { decodeRecord, recordId } from './decode-record.ts'
export type { DeadLetterReason, Decoded, EncodedRecord, RawRecord } from './record.ts'
export { validateEvents } from './validate-events.ts'
export type {
  EntryError,
  ValidatedEntry,
  ValidatedEvent,
  ValidationContext,
  ValidationResult,
} from './validate-events.ts'
