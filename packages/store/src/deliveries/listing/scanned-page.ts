import { uuidToTypeId } from '@ariftly/events'
import { deliveryRow, type DeliveryRow } from '../delivery-row.ts'

/** Rows that one page scans when it has to check each of them. */
export const SCAN_MAX = 500

/** A row of {@link scannedPageSql} as pg hands it over. */
export interface ScannedColumns {
  readonly id: string
  readonly fits: boolean
  readonly is_last: boolean
}

/** A page of deliveries. */
export interface ScannedPage {
  readonly deliveries: readonly DeliveryRow[]
  /** The last delivery that was scanned; undefined when none follows. A page may be short, or empty, before the last one. */
  readonly nextId: string | undefined
}

/** SQL: whether a row fits all of these conditions; never null. */
export function fitsAll(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'true' : `(${conditions.join(' AND ')}) IS TRUE`
}

/**
 * The SQL of a page: the rows of `scan`, at most `scanMax`, that fit. The last one that was scanned is among them whether it fits or not: found
 * by a second statement it would be another one after a change in between, and what lies between the two would be in no page.
 */
export function scannedPageSql(o: {
  readonly scan: string
  /** As `scan` has it. */
  readonly scanMax: number | string
  readonly fits: readonly string[]
  readonly orderBy: string
  /** One more than the page has. */
  readonly limit: number | string
}): string {
  return (
    `SELECT ${deliveryRow.columns}, d.fits, d.place = ${o.scanMax} AS is_last` +
    ` FROM (SELECT d.*, ${fitsAll(o.fits)} AS fits, row_number() OVER () AS place FROM (${o.scan}) AS d) AS d` +
    ` WHERE d.fits OR d.place = ${o.scanMax} ORDER BY ${o.orderBy} LIMIT ${o.limit}`
  )
}

/** A page made from the rows of {@link scannedPageSql}. */
export function toScannedPage(rows: readonly ScannedColumns[], limit: number): ScannedPage {
  const fitting = rows.filter(({ fits }) => fits)
  const page = fitting.slice(0, limit)
  const next = fitting.length > limit ? page.at(-1) : rows.find(({ is_last: isLast }) => isLast)
  return {
    deliveries: page.map(deliveryRow.read),
    nextId: next === undefined ? undefined : uuidToTypeId('dlv', next.id),
  }
}
