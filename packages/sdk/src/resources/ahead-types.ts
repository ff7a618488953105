import type { EventType } from '../types.ts'

/** Of every list. */
export interface Paging {
  /** 1 to 500; default 50. */
  readonly limit?: number
  readonly cursor?: string
}

/** Which deliveries. */
export interface DeliveryFilter {
  readonly webhook_id?: string
  readonly event_id?: string
  readonly task_id?: string
  readonly status?: 'pending' | 'delivered' | 'failed' | 'cancelled'
  readonly type?: EventType
  readonly error_class?: string
  /** Inclusive, of `created_at`. */
  readonly after?: string
  /** Exclusive, of `created_at`. */
  readonly before?: string
}

/** Many deliveries made again. */
export interface Redelivery {
  readonly object: 'redelivery'
  readonly id: string
  readonly status: 'running' | 'completed' | 'cancelled' | 'failed'
  readonly dry_run: boolean
  readonly filter: DeliveryFilter
  readonly scanned_count: number
  readonly delivery_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly finished_at: string | null
}

/** Which span of time. */
export interface WebhookStatsQuery {
  readonly window?: '1h' | '24h' | '7d'
}

/** How the deliveries of a webhook went. */
export interface WebhookStats {
  readonly object: 'webhook_stats'
  readonly webhook_id: string
  readonly window: string
  readonly from: string
  readonly to: string
  readonly delivered_count: number
  readonly failed_count: number
  readonly attempt_count: number
  readonly error_classes: Readonly<Record<string, number>>
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly p99: number } | null
  readonly buckets: readonly {
    readonly at: string
    readonly delivered_count: number
    readonly failed_count: number
    readonly attempt_count: number
    readonly latency_p95_ms: number | null
  }[]
}

/** A record of the log that is no event. */
export interface DeadLetter {
  readonly object: 'dead_letter'
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly detail: string
  readonly source: string | null
  readonly partition: number
  readonly offset: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly value_preview: string | null
}

/** Which dead letters. */
export interface DeadLetterQuery extends Paging {
  readonly reason?: string
  readonly after?: string
  readonly before?: string
}

/** A type of the catalogue. */
export interface EventTypeDescription {
  readonly object: 'event_type'
  readonly type: EventType
  readonly description: string
  /** JSON Schema of `data`. */
  readonly schema: Readonly<Record<string, unknown>>
  /** An example of `data`. */
  readonly example: Readonly<Record<string, unknown>>
}
