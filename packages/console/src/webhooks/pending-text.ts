import type { Webhook } from '@ariftly/sdk'

/** Deliveries that wait for a webhook: the API counts up to 10,000. */
export function pendingText({ pending_count }: Pick<Webhook, 'pending_count'>): string {
  return pending_count >= 10_000 ? '10,000 or more' : String(pending_count)
}
