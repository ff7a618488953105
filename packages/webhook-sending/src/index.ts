export { sendWebhook, type SendingOptions, type SentAttempt } from './send-webhook.ts'
export type { AttemptTrace } from './trace-attempt.ts'
export { webhookAad, type OutgoingWebhook } from './webhook-request.ts'
