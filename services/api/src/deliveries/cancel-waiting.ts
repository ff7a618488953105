import { type Pool } from '@ariftly/store'
import { cancelDeliveries } from '@ariftly/store/deliveries'

const AT_ONCE = 5000
const ROUNDS_MAX = 40

/** Cancels what waits for a webhook, or what one of its replays made wait; of a very long backlog 200,000 deliveries. */
export async function cancelWaiting(
  pool: Pool,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId?: string },
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if ((await cancelDeliveries(pool, { ...o, limit: AT_ONCE })) < AT_ONCE) return
  }
}
