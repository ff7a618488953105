import { readQuery, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { stopReplay } from '@ariftly/store/replays'
import { cancelWaiting } from '../deliveries/cancel-waiting.ts'
import { findReplay } from './find-replay.ts'

/**
 * Answers `DELETE /v1/webhooks/{id}/replays/{replay}` with 204: no further slice is made, and what the replay has made
 * pending is cancelled, also after its last slice. What is sent already stays.
 */
export function createCancelReplay(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    const { id, webhookId, dryRun } = await findReplay(o.pool, tenant, params)
    await stopReplay(o.pool, { tenant, id })
    if (!dryRun) await cancelWaiting(o.pool, { tenant, webhookId, replayId: id })
    res.status(204).end()
  }
}
