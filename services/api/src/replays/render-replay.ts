import type { ReplayRow } from '@ariftly/store/replays'
import { timeOf } from '../time-of.ts'

/** The replay object: what was asked for and how far it is. On a dry run `delivery_count` counts what would be made. */
export function renderReplay(row: ReplayRow): Record<string, unknown> {
  return {
    object: 'replay',
    id: row.id,
    webhook_id: row.webhookId,
    status: row.state,
    dry_run: row.dryRun,
    after: timeOf(row.afterMs),
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
