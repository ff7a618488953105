import { uuidToTypeId } from '@ariftly/events'

/** How a redelivery stands. */
type RedeliveryState = 'running' | 'completed' | 'cancelled' | 'failed'

/** What a redelivery was asked for. */
export interface RedeliveryRequest {
  /** TypeID `rdl_…`. */
  readonly id: string
  readonly tenant: string
  /** Which deliveries, as JSON text of the members of the API. */
  readonly filter: string
  readonly dryRun: boolean
}

/** A redelivery and how far it is. */
export interface RedeliveryRow extends RedeliveryRequest {
  readonly state: RedeliveryState
  /** Deliveries that were looked at. */
  readonly scannedCount: number
  /** Deliveries that were made pending, or on a dry run would be. */
  readonly deliveryCount: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly finishedAtMs: number | null
}

/** The columns that `toRedeliveryRow` reads, of `redeliveries r`. */
export const REDELIVERY_COLUMNS = `r.id, r.tenant_id, r.filter, r.dry_run, r.state, r.scanned_count, r.delivery_count,
  r.created_at, r.updated_at, r.finished_at`

/** A row of `REDELIVERY_COLUMNS` as pg hands it over. */
export interface RedeliveryColumns {
  readonly id: string
  readonly tenant_id: string
  readonly filter: string
  readonly dry_run: boolean
  readonly state: RedeliveryState
  readonly scanned_count: number
  readonly delivery_count: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly finished_at: Date | null
}

/** Turns columns into the row that code works with. */
export function toRedeliveryRow(columns: RedeliveryColumns): RedeliveryRow {
  return {
    id: uuidToTypeId('rdl', columns.id),
    tenant: columns.tenant_id,
    state: columns.state,
    filter: columns.filter,
    dryRun: columns.dry_run,
    createdAtMs: columns.created_at.getTime(),
    updatedAtMs: columns.updated_at.getTime(),
    finishedAtMs: columns.finished_at?.getTime() ?? null,
    scannedCount: columns.scanned_count,
    deliveryCount: columns.delivery_count,
  }
}
