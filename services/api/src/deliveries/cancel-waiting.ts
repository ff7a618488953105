import { type Pool } from '@ariftly/store'
import { cancelDeliveries } from '@ariftly/store/deliveries'

const AT_ONCE = 5000
const ROUNDS_MAX = 40

/** Cancels the pending deliveries of a webhook, or of one of its replays; at most 200,000. */
export async function cancelWaiting(
  pool: Pool,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId?: string },
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if ((await cancelDeliveries(pool, { ...o, limit: AT_ONCE })) < AT_ONCE) return
  }
}
