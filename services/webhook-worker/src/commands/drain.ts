import { drainWebhook } from '@ariftly/store/deliveries'
import type { CommandContext } from './command.ts'

/** Makes every pending delivery of a webhook due, and of a failing endpoint the next probe. A webhook worker does it, in slices. */
export async function drain({ pool, webhookId = '', print }: CommandContext): Promise<number> {
  const failing = await drainWebhook(pool, { webhookId })
  print(
    `the pending deliveries of ${webhookId} become due${failing ? '; the endpoint is failing: its next probe becomes due' : ''}`,
  )
  return 0
}
