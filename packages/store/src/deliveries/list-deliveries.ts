import { typeIdToUuid, type EventType } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import { STATUS_CONDITIONS, type DeliveryStatus } from './delivery-row.ts'
import { SCAN_MAX, scannedPageSql, toScannedPage, type ScannedColumns, type ScannedPage } from './scanned-page.ts'

/** A page of the deliveries of a webhook; absent filters filter nothing. */
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

/** The statuses that have an index of their own. */
const INDEXED: ReadonlySet<DeliveryStatus> = new Set(['failed', 'pending'])

/**
 * A page of a webhook's deliveries, newest event first.
 * A range of `deliveries_webhook` (`deliveries_failed`, `deliveries_unfinished` for those). What these do not tell is judged row
 * by row, at most 500 rows a page, so a page may be short, or empty, before the last one.
 */
export async function listDeliveries(db: Queryable, o: ListDeliveriesOptions): Promise<ScannedPage> {
  const { rows } = await db.query<ScannedColumns>(listDeliveriesQuery(o))
  return toScannedPage(rows, o.limit)
}

/** The statement of a page. */
export function listDeliveriesQuery(o: ListDeliveriesOptions): { readonly text: string; readonly values: unknown[] } {
  const { low, high } = idBounds('dlv', { ...o, order: 'desc' })
  const values: unknown[] = [typeIdToUuid('whk', o.webhookId), low, high]
  const limit = o.limit + 1
  const scanMax = isJudged(o) ? SCAN_MAX : limit
  const fits = [`d.tenant_id = $${values.push(o.tenant)}`]
  if (o.status !== undefined) fits.push(STATUS_CONDITIONS[o.status])
  if (o.types !== undefined) fits.push(`d.event_type = ANY ($${values.push(o.types)}::text[])`)
  return { text: scannedPageSql({ scan: scan(o, scanMax), scanMax, fits, orderBy: 'd.id DESC', limit }), values }
}

function isJudged({ status, types }: ListDeliveriesOptions): boolean {
  return types !== undefined || (status !== undefined && !INDEXED.has(status))
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
