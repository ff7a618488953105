import { type Pool } from '@ariftly/store'
import { cancelDeliveries } from './change-deliveries.ts'

/** Deliveries that one statement cancels. */
export const CANCELLED_AT_ONCE = 5000
const ROUNDS_MAX = 40

/** Cancels the deliveries of a replay that wait; at most 200,000. Nothing else does, so it runs round after round. */
export async function cancelWaiting(
  pool: Pool,
  o: { readonly tenant: string; readonly webhookId: string; readonly replayId: string },
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if ((await cancelDeliveries(pool, { ...o, limit: CANCELLED_AT_ONCE })) < CANCELLED_AT_ONCE) return
  }
}
