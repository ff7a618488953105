import { newTypeId } from '@ariftly/events'
import { Problem, readQuery, sendJson, type ApiCall, type ApiHandler, type StreamIds } from '@ariftly/http'
import type { Pool, Transaction } from '@ariftly/store'
import {
  findPosition,
  getReplay,
  insertReplay,
  listReplays,
  stopReplay,
  type ReplayRow,
  type ReplayStart,
} from '@ariftly/store/replays'
import { cancelWaiting } from '../deliveries/cancel-waiting.ts'
import { findWebhookId } from '../find-webhook.ts'
import { notFound, pathId } from '../not-found.ts'
import { byId, pageParams, sendPage, type ListDeps } from '../send-list.ts'
import { timeOf } from '../time-of.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { readReplay, REPLAY_REACH_MS, type PositionBegin } from './replay-body.ts'

/** Makes the handlers of `/v1/webhooks/{id}/replays…`. */
export function createReplayHandlers({
  pool,
  cursors,
}: ListDeps): Readonly<Record<'listReplays' | 'getReplay' | 'cancelReplay', ApiHandler>> {
  return {
    /** Newest first. */
    async listReplays({ caller: { tenant }, params, url }, _req, res) {
      const query = readQuery(url, pageParams)
      const bound = { tenant, webhookId: await findWebhookId(pool, tenant, params['id']) }
      const list = { cursors, name: 'replays', bound, query, render: renderReplay, placeOf: byId }
      await sendPage(res, { ...list, read: (page) => listReplays(pool, { ...bound, ...page }) })
    },

    /** With its progress. */
    async getReplay(call, _req, res) {
      sendJson(res, 200, renderReplay(await findReplay(pool, call)))
    },

    /** No further slice is made, and what the replay has made pending is cancelled, also after its last slice. What is sent already stays. */
    async cancelReplay(call, _req, res) {
      const { id, tenant, webhookId, dryRun } = await findReplay(pool, call)
      await stopReplay(pool, { tenant, id })
      if (!dryRun) await cancelWaiting(pool, { tenant, webhookId, replayId: id })
      res.status(204).end()
    },
  }
}

/** The replay that a path names. @throws Problem 404 for what is no id, not there, of another webhook or another tenant's. */
async function findReplay(pool: Pool, { caller: { tenant }, params, url }: ApiCall): Promise<ReplayRow> {
  readQuery(url, {})
  const key = { tenant, webhookId: pathId('whk', params['id']), id: pathId('rpl', params['replay']) }
  const replay = await getReplay(pool, key)
  if (replay === undefined) throw notFound('replay')
  return replay
}

/**
 * Answers `POST /v1/webhooks/{id}/replay` with 202 and the replay, which the webhook worker carries out. While the webhook
 * is disabled what it makes waits like any delivery. A second one of the same kind (real or dry run) meanwhile is 409.
 */
export function createCreateReplay({
  streamIds,
  now = Date.now,
}: {
  readonly streamIds: Pick<StreamIds, 'open'>
  readonly now?: () => number
}): WriteHandler {
  return async ({ caller: { tenant }, params, body }, tx) => {
    const nowMs = now()
    const { status, begin, ...asked } = readReplay(body, nowMs, streamIds)
    const webhookId = await findWebhookId(tx, tenant, params['id'])
    const id = newTypeId('rpl', nowMs)
    const beginning = 'place' in begin ? await startAt(tx, { ...begin, ...asked, tenant, nowMs }) : begin
    const replay = await insertReplay(tx, { ...asked, ...beginning, deliveryStatus: status, id, tenant, webhookId })
    if (replay === 'under_way') throw underWay(asked.dryRun)
    const headers = { Location: `/v1/webhooks/${webhookId}/replays/${id}` }
    return { status: 202, body: renderReplay(replay), headers }
  }
}

/** Where a replay from a position begins: there, or, if that is lost, at the earliest event in reach. */
async function startAt(
  tx: Transaction,
  o: PositionBegin & { readonly tenant: string; readonly beforeMs: number; readonly nowMs: number },
): Promise<{ readonly afterMs: number; readonly from: ReplayStart }> {
  const position = { epoch: o.place.epoch, offsets: [...o.place.position] }
  const found = await findPosition(tx, { ...position, tenant: o.tenant })
  const reachMs = o.nowMs - REPLAY_REACH_MS
  const isLost = found?.isCurrent !== true || (found.firstAppendedMs ?? o.nowMs) < reachMs
  if (isLost) return { afterMs: reachMs, from: { text: o.text, position: undefined } }
  return { afterMs: Math.min(found.firstEventMs ?? o.nowMs, o.beforeMs) - 1, from: { text: o.text, position } }
}

function underWay(dryRun: boolean): Problem {
  const what = dryRun ? 'A dry run' : 'A replay'
  return new Problem(409, 'replay_under_way', {
    detail: `${what} of this webhook is running: wait for its end or cancel it.`,
  })
}

/** The replay object: what was asked for and how far it is. On a dry run `delivery_count` counts what would be made. */
export function renderReplay(row: ReplayRow): Record<string, unknown> {
  return {
    object: 'replay',
    id: row.id,
    webhook_id: row.webhookId,
    status: row.state,
    dry_run: row.dryRun,
    after: timeOf(row.afterMs),
    from: row.from,
    truncated: row.truncated,
    before: timeOf(row.beforeMs),
    types: row.types,
    delivery_status: row.deliveryStatus,
    scanned_count: row.scannedCount,
    delivery_count: row.deliveryCount,
    created_at: timeOf(row.createdAtMs),
    updated_at: timeOf(row.updatedAtMs),
    finished_at: timeOf(row.finishedAtMs),
  }
}
