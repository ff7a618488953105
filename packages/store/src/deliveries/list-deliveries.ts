import { typeIdToUuid, uuidToTypeId, type EventType } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import {
  DELIVERY_COLUMNS,
  STATUS_CONDITIONS,
  toDeliveryRow,
  type DeliveryColumns,
  type DeliveryRow,
  type DeliveryStatus,
} from './delivery-row.ts'

export interface ListDeliveriesOptions {
  readonly tenant: string
  readonly webhookId: string
  readonly status?: DeliveryStatus
  readonly types?: readonly EventType[]
  /** Exclusive bounds of the time at which the event was appended to the log, which is the time inside a delivery's id. */
  readonly afterMs?: number
  readonly beforeMs?: number
  readonly cursorId?: string
  readonly limit: number
}

/** Rows that one page looks at when it has to judge each of them. */
const SCAN_MAX = 500

/** The statuses that have an index of their own. */
const INDEXED: ReadonlySet<DeliveryStatus> = new Set(['failed', 'pending'])

/**
 * A page of a webhook's deliveries, newest event first; `nextId` is the last one that was looked at, undefined when none follows.
 * A range of `deliveries_webhook` (`deliveries_failed`, `deliveries_unfinished` for those). What these do not tell is judged row
 * by row, at most 500 rows a page, so a page may be short, or empty, before the last one.
 */
export async function listDeliveries(
  db: Queryable,
  o: ListDeliveriesOptions,
): Promise<{ readonly deliveries: readonly DeliveryRow[]; readonly nextId: string | undefined }> {
  const { rows } = await db.query<DeliveryColumns>(listDeliveriesQuery(o))
  const deliveries = rows.slice(0, o.limit).map(toDeliveryRow)
  if (rows.length > o.limit) return { deliveries, nextId: deliveries.at(-1)?.id }
  return { deliveries, nextId: isJudged(o) ? await lastScanned(db, o) : undefined }
}

/** The statement of a page. */
export function listDeliveriesQuery(o: ListDeliveriesOptions): { readonly text: string; readonly values: unknown[] } {
  const values = rangeOf(o)
  const status = o.status === undefined ? 'true' : STATUS_CONDITIONS[o.status]
  const type = o.types === undefined ? 'true' : `d.event_type = ANY ($${values.push(o.types)}::text[])`
  const text = `SELECT ${DELIVERY_COLUMNS} FROM (${scan(o, isJudged(o) ? SCAN_MAX : o.limit + 1)}) AS d
      WHERE d.tenant_id = $${values.push(o.tenant)} AND ${status} AND ${type} ORDER BY d.id DESC LIMIT ${o.limit + 1}`
  return { text, values }
}

function isJudged({ status, types }: ListDeliveriesOptions): boolean {
  return types !== undefined || (status !== undefined && !INDEXED.has(status))
}

/** Where a page ended that has looked at as many rows as it may. */
async function lastScanned(db: Queryable, o: ListDeliveriesOptions): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM (${scan(o, SCAN_MAX)}) AS d OFFSET ${SCAN_MAX - 1}`,
    rangeOf(o),
  )
  return rows[0] === undefined ? undefined : uuidToTypeId('dlv', rows[0].id)
}

function rangeOf(o: ListDeliveriesOptions): unknown[] {
  const { low, high } = idBounds('dlv', { ...o, order: 'desc' })
  return [typeIdToUuid('whk', o.webhookId), low, high]
}

/**
 * The webhook is said by rows and not by `=`: only an index that begins with it then has this order. By the primary key, the other
 * one that has an id, all that is newer of other webhooks would be read.
 */
function scan({ status }: ListDeliveriesOptions, limit: number): string {
  const indexed = status !== undefined && INDEXED.has(status) ? `AND ${STATUS_CONDITIONS[status]}` : ''
  return `SELECT d.* FROM deliveries d
           WHERE (d.webhook_id, d.id) >= ($1::uuid, $2::uuid) AND (d.webhook_id, d.id) < ($1::uuid, $3::uuid)
             AND d.id >= $2 AND d.id < $3 ${indexed}
           ORDER BY d.webhook_id DESC, d.id DESC LIMIT ${limit}`
}
