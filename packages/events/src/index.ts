// Modules that load schemas and their compiler are exported from `@ariftly/events/catalogue` and `@ariftly/events/validate`, so
// that a service that only reads events starts without them.
export { LIMITS } from './limits.ts'
export { EVENT_TYPES, isEventType, isSessionType } from './event-type.ts'
export type { EventType } from './event-type.ts'
export { isIdentifier, isTenant } from './log-event.ts'
export type { EventFilter, LogEvent } from './log-event.ts'
export type { CatalogueEntry } from './catalogue/entry.ts'
export { EventIdMinter, deriveEventId, eventIdMs, newEventId } from './event-id.ts'
export { isIdInWindow } from './record/id-window.ts'
export { formatTypeId, newTypeId, parseTypeId, typeIdMs, typeIdToUuid, uuidToTypeId } from './typeid.ts'
export { formatTimestamp, parseTimestamp } from './timestamp.ts'
export type { Timestamp } from './timestamp.ts'
export { renderEvent } from './record/render-event.ts'
export { partitionOf } from './record/partition.ts'
export { encodeRecord } from './record/encode-record.ts'
export { decodeRecord, recordId, recordTenant } from './record/decode-record.ts'
export { DEAD_LETTER_REASONS } from './record/record.ts'
export type { DeadLetterReason, Decoded, EncodedRecord, RawRecord } from './record/record.ts'
export { isJsonContentType } from './cloudevents/cloud-event.ts'
export type {
  EntryError,
  ValidatedEntry,
  ValidatedEvent,
  Validation,
  ValidationContext,
  ValidationResult,
} from './validation/validation.ts'
export type { ApprovalRequestedData } from './catalogue/approval-requested.ts'
export type { ApprovalResolvedData } from './catalogue/approval-resolved.ts'
export type { ArtifactEmittedData } from './catalogue/artifact-emitted.ts'
export type { SessionClosedData } from './catalogue/session-closed.ts'
export type { SessionMessageData } from './catalogue/session-message.ts'
export type { TaskCompleteData } from './catalogue/task-complete.ts'
export type { TaskCreatedData } from './catalogue/task-created.ts'
export type { TaskFailedData } from './catalogue/task-failed.ts'
export type { TaskProgressData } from './catalogue/task-progress.ts'
export type { ToolCallExecutedData } from './catalogue/tool-call-executed.ts'
