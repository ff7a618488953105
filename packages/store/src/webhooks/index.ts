export { listWebhooks } from './list-webhooks.ts'
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
export type { WebhookRow, WebhookSettings } from './webhook-row.ts'
