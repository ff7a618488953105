export { sendWebhook, type SendingOptions, type SentAttempt } from './send-webhook.ts'
export { webhookAad, type OutgoingWebhook } from './webhook-request.ts'
