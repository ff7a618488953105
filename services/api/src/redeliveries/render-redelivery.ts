import type { RedeliveryRow } from '@ariftly/store/redeliveries'
import { timeOf } from '../time-of.ts'

/** The redelivery object: what was asked for and how far it is. On a dry run `delivery_count` counts what would be sent. */
export function renderRedelivery(row: RedeliveryRow): Record<string, unknown> {
  return {
    object: 'redelivery',
    id: row.id,
    status: row.state,
    dry_run: row.dryRun,
    filter: JSON.parse(row.filter) as unknown,
    scanned_count: row.scannedCount,
    delivery_count: row.deliveryCount,
    created_at: timeOf(row.createdAtMs),
    updated_at: timeOf(row.updatedAtMs),
    finished_at: timeOf(row.finishedAtMs),
  }
}
