import type { EventType } from '../types.ts'

/** Of every list. */
export interface Paging {
  /** 1 to 500; default 50. */
  readonly limit?: number
  readonly cursor?: string
}

/** What to add to an event. */
export interface GetEventQuery {
  readonly include?: readonly ('log' | 'deliveries')[]
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

/** Limits of a tenant; null is the default. */
export interface TenantLimits {
  readonly events_per_s: number | null
  readonly streams: number | null
  readonly webhooks: number | null
}

/** A tenant. */
export interface Tenant {
  readonly object: 'tenant'
  readonly id: string
  readonly state: 'active' | 'suspended' | 'deleting'
  readonly limits: TenantLimits
  readonly created_at: string | null
  readonly updated_at: string | null
  readonly deleted_count?: number
}

/** What to change of a tenant; what is left out keeps its value. */
export interface TenantChanges {
  readonly state?: 'active' | 'suspended'
  readonly limits?: Partial<TenantLimits>
}

/** What to change of a key. */
export interface ApiKeyChanges {
  readonly name?: string
  readonly quota?: { readonly events_per_s: number | null; readonly bytes_per_s: number | null }
  readonly expires_at?: string | null
}

/** A change of a key, a tenant or a webhook. */
export interface AuditEntry {
  readonly object: 'audit_entry'
  readonly id: string
  readonly at: string
  readonly key_id: string | null
  readonly tenant: string
  readonly action: string
  readonly target: string
  readonly request_id: string
}

/** Which changes. */
export interface AuditQuery extends Paging {
  readonly tenant?: string
  readonly action?: string
  readonly after?: string
  readonly before?: string
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
