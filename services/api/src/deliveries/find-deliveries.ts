import { prepared, type PreparedQuery, type Queryable } from '@ariftly/store'
import {
  createDeliveryShape,
  type DeliveryListOptions,
  SCAN_MAX,
  type ScannedColumns,
  type ScannedPage,
  scannedPageSql,
  toScannedPage,
} from '@ariftly/store/deliveries'

/** A page of a list of deliveries. */
interface FindDeliveriesOptions extends DeliveryListOptions {
  readonly limit: number
}

/**
 * A page of a tenant's deliveries. What its index does not cover is checked row by row, at most 500 rows a page, so that a
 * selective filter costs no more than another one. For connections with `LIST_SETTINGS`; see `findDeliveriesQuery`.
 */
export async function findDeliveries(db: Queryable, o: FindDeliveriesOptions): Promise<ScannedPage> {
  const { rows } = await db.query<ScannedColumns>(findDeliveriesQuery(o))
  return toScannedPage(rows, o.limit)
}

/** The statement of a page, prepared once per shape. */
export function findDeliveriesQuery(o: FindDeliveriesOptions): PreparedQuery {
  const shape = createDeliveryShape(o)
  const limit = `$${shape.values.push(o.limit + 1)}`
  const scanMax = shape.checked.length === 0 ? limit : SCAN_MAX
  const { checked: fits, orderBy, values } = shape
  return prepared(scannedPageSql({ scan: shape.scan(scanMax), scanMax, fits, orderBy, limit }), values)
}
