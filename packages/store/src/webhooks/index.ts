export {
  deleteExpiredWebhooks,
  deleteWebhook,
  getWebhook,
  getWebhookToSend,
  insertWebhook,
  rotateWebhookSecret,
  updateWebhook,
  webhookExists,
} from './webhooks.ts'
export type { NewWebhook, WebhookToSend } from './webhooks.ts'
export { backlogOf, PENDING_COUNT_MAX, webhookRow } from './webhook-row.ts'
export type { DisabledReason, WebhookRow, WebhookSettings } from './webhook-row.ts'
