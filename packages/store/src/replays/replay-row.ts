import { uuidToTypeId, type EventType } from '@ariftly/events'

/** Deliveries that a replay may be limited to. */
export type ReplayDeliveryStatus = 'delivered' | 'failed' | 'cancelled'

/** What a replay was asked for. */
export interface ReplayRequest {
  /** TypeID `rpl_…`. */
  readonly id: string
  readonly tenant: string
  readonly webhookId: string
  /** Log time in ms, exclusive. */
  readonly afterMs: number
  /** Log time in ms, exclusive. */
  readonly beforeMs: number
  /** Null: all that the webhook takes. */
  readonly types: readonly EventType[] | null
  /** Only events whose delivery stands so; null: missing ones and all that are finished. */
  readonly deliveryStatus: ReplayDeliveryStatus | null
  readonly dryRun: boolean
}

/** A replay and how far it is. */
export interface ReplayRow extends ReplayRequest {
  readonly state: 'running' | 'completed' | 'cancelled'
  /** Events of the tenant that were looked at. */
  readonly scannedCount: number
  /** Deliveries that were made pending, or on a dry run would be. */
  readonly deliveryCount: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly finishedAtMs: number | null
}

/** The columns that `toReplayRow` reads, of `webhook_replays r`. */
export const REPLAY_COLUMNS = `r.id, r.tenant_id, r.webhook_id, r.after_at, r.before_at, r.types, r.delivery_status, r.dry_run,
  r.state, r.scanned_count, r.delivery_count, r.created_at, r.updated_at, r.finished_at`

/** A row of `REPLAY_COLUMNS` as pg hands it over. */
export interface ReplayColumns {
  readonly id: string
  readonly tenant_id: string
  readonly webhook_id: string
  readonly after_at: Date
  readonly before_at: Date
  readonly types: EventType[] | null
  readonly delivery_status: ReplayDeliveryStatus | null
  readonly dry_run: boolean
  readonly state: ReplayRow['state']
  readonly scanned_count: number
  readonly delivery_count: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly finished_at: Date | null
}

/** Turns columns into the row that code works with. */
export function toReplayRow(columns: ReplayColumns): ReplayRow {
  return {
    id: uuidToTypeId('rpl', columns.id),
    tenant: columns.tenant_id,
    webhookId: uuidToTypeId('whk', columns.webhook_id),
    afterMs: columns.after_at.getTime(),
    beforeMs: columns.before_at.getTime(),
    types: columns.types,
    deliveryStatus: columns.delivery_status,
    dryRun: columns.dry_run,
    state: columns.state,
    scannedCount: columns.scanned_count,
    deliveryCount: columns.delivery_count,
    createdAtMs: columns.created_at.getTime(),
    updatedAtMs: columns.updated_at.getTime(),
    finishedAtMs: columns.finished_at?.getTime() ?? null,
  }
}
