// Modules that load schemas and their compiler are exported from `@ariftly/events/catalogue` and `@ariftly/events/validate`, so
// that a service that only reads events starts without them.
export { LIMITS } from './limits.ts'
export { EVENT_TYPES, isEventType, isSessionType } from './event-type.ts'
export type { EventType } from './event-type.ts'
export type { LogEvent } from './log-event.ts'
export { FILTER_MEMBERS, FILTER_NAMES, RecordAttributes } from './filter/attributes.ts'
export type { EventAttributes, FilterMember, FilterValues } from './filter/attributes.ts'
export { filterOf, isSameFilter, matches, NO_FILTER, shownFilter, tenantFilter } from './filter/event-filter.ts'
export type { EventFilter, NamedFilter, TenantFilter } from './filter/event-filter.ts'
export { expandTypes } from './filter/expand-types.ts'
export { FilterIndex } from './filter/filter-index.ts'
export { EventIdMinter, eventIdMs, newEventId } from './event-id.ts'
export { isIdInWindow } from './record/id-window.ts'
export { formatTypeId, newTypeId, parseTypeId, typeIdMs, typeIdToUuid, uuidToTypeId } from './typeid.ts'
export { formatTimestamp, parseTimestamp } from './timestamp.ts'
export { renderEvent } from './record/render-event.ts'
export { partitionOf } from './record/partition.ts'
export { encodeRecord } from './record/encode-record.ts'
export { decodeRecord, recordId, recordTenant } from './record/decode-record.ts'
export { DEAD_LETTER_REASONS } from './record/record.ts'
export type { RawRecord } from './record/record.ts'
export { isJsonContentType } from './cloudevents/cloud-event.ts'
export type {
  EntryError,
  ValidatedEntry,
  ValidatedEvent,
  Validation,
  ValidationContext,
  ValidationResult,
} from './validation/validation.ts'
