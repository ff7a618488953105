import { inSlices } from '@ariftly/fairness'
import { drainWebhook, probeNow } from '@ariftly/store/deliveries'
import type { CommandContext } from './command.ts'

const ROWS_PER_STATEMENT = 1000

/** Makes every pending delivery of a webhook due now, and of a failing endpoint the next probe. */
export async function drain({ pool, webhookId = '', print }: CommandContext): Promise<number> {
  const moved = await inSlices(() => drainWebhook(pool, { webhookId, limit: ROWS_PER_STATEMENT }))
  const failing = await probeNow(pool, { webhookId })
  print(
    `${moved} deliveries of ${webhookId} are due now${failing ? '; the endpoint is failing: its next probe is due now' : ''}`,
  )
  return 0
}
