export { AUDIT_ACTIONS, type AuditAction } from './audit-actions.ts'
export { createBodyReader, invalidBody, type BodyReader } from './body-reader.ts'
export { CHECK_KEYWORD } from './checks.ts'
export { DEAD_LETTER_REASONS } from './dead-letter-reasons.ts'
export type { BodyError } from './describe-errors.ts'
export { TENANT_STATES } from './tenant-states.ts'
export { API_KEYS_PER_TENANT_MAX, STREAM_TOKEN_LIMITS, TENANT, TENANT_SHAPE, WEBHOOK_LIMITS } from './limits.ts'
export {
  cursorSchema,
  described,
  eventTypeSchema,
  identifierSchema,
  limitSchema,
  nullable,
  oneOf,
  oneOfMore,
  readEventTypeSchema,
  readScopeSchema,
  tenantSchema,
  timeSchema,
  typeIdSchema,
} from './primitives.ts'
export { published } from './publish.ts'
export {
  apiKeyChangesSchema,
  emptySchema,
  newApiKeyRequestSchema,
  newWebhookSchema,
  redeliveryRequestSchema,
  replayRequestSchema,
  rotateApiKeySchema,
  rotateSecretSchema,
  streamTokenRequestSchema,
  tenantRequestSchema,
  testWebhookSchema,
  webhookChangesSchema,
} from './request-schemas.ts'
export {
  ORDERINGS,
  readWebhookEventsSchema,
  REDELIVERED_STATUSES,
  REPLAYED_STATUSES,
  webhookFilterSchema,
} from './webhook-words.ts'
