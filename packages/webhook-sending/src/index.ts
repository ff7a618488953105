export { sendWebhook, type AttemptRecord, type SentAttempt } from './send-webhook.ts'
export type { AttemptTrace } from './trace-attempt.ts'
export { STANDARD_FORMAT, type OutgoingWebhook, type RetryPlan, type WebhookFormat } from './webhook-format.ts'
export { webhookAad } from './webhook-request.ts'
