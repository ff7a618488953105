import { uuidToTypeId } from '@ariftly/events'
import type { QueryConfig } from 'pg'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { createDeliveryShape, type DeliveryListOptions } from './delivery-shape.ts'
import { DELIVERY_COLUMNS, toDeliveryRow, type DeliveryColumns, type DeliveryRow } from './delivery-row.ts'

export interface FindDeliveriesOptions extends DeliveryListOptions {
  readonly limit: number
}

export interface FoundDeliveries {
  readonly deliveries: readonly DeliveryRow[]
  /** The last delivery that was looked at; undefined when none follows. A page may be short, or empty, before the last one. */
  readonly nextId: string | undefined
}

/** Rows that one page looks at when it has to judge each of them. */
const SCAN_MAX = 500

/**
 * A page of a tenant's deliveries. What its index cannot tell is judged row by row, at most 500 rows a page, so that a
 * selective filter costs no more than another one. For connections with `LIST_SETTINGS`; see `findDeliveriesQuery`.
 */
export async function findDeliveries(db: Queryable, o: FindDeliveriesOptions): Promise<FoundDeliveries> {
  const { rows } = await db.query<DeliveryColumns>(findDeliveriesQuery(o))
  const deliveries = rows.slice(0, o.limit).map(toDeliveryRow)
  if (rows.length > o.limit) return { deliveries, nextId: deliveries.at(-1)?.id }
  return { deliveries, nextId: await lastScanned(db, o) }
}

/** Where a page ended that has looked at as many rows as it may. */
async function lastScanned(db: Queryable, o: FindDeliveriesOptions): Promise<string | undefined> {
  const shape = createDeliveryShape(o)
  if (shape.judged.length === 0) return undefined
  const { rows } = await db.query<{ id: string }>(
    prepared(
      `SELECT id FROM (${shape.scan(SCAN_MAX)}) AS d OFFSET ${SCAN_MAX - 1}`,
      shape.values.slice(0, shape.scanValues),
    ),
  )
  return rows[0] === undefined ? undefined : uuidToTypeId('dlv', rows[0].id)
}

/** The statement of a page, prepared once per shape. */
export function findDeliveriesQuery(o: FindDeliveriesOptions): QueryConfig<unknown[]> {
  const shape = createDeliveryShape(o)
  const direction = o.order === 'asc' ? 'ASC' : 'DESC'
  const where = shape.judged.length === 0 ? '' : ` WHERE ${shape.judged.join(' AND ')}`
  const limit = `$${shape.values.push(o.limit + 1)}`
  const scanned = shape.judged.length === 0 ? limit : SCAN_MAX
  return prepared(
    `SELECT ${DELIVERY_COLUMNS} FROM (${shape.scan(scanned)}) AS d${where} ` +
      `ORDER BY d.created_at ${direction}, d.id ${direction} LIMIT ${limit}`,
    shape.values,
  )
}
