import { disableWebhook } from '@ariftly/store/deliveries'
import type { CommandContext } from './command.ts'

/** Disables a webhook as its owner would; what is pending waits. */
export async function disable({ pool, webhookId = '', print }: CommandContext): Promise<number> {
  const disabled = await disableWebhook(pool, { webhookId, reason: 'manual' })
  print(disabled ? `${webhookId} is disabled` : `${webhookId} was disabled already`)
  return 0
}
