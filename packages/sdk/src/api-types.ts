// Generated from the OpenAPI document by `npm run generate`: do not edit.
/* oxlint-disable max-lines */

/** An event; `type` selects the alternative. More types may be added: the last alternative is an event of any type. Events never change; members added by `include` do. */
export type ApiEvent = EventTaskCreated | EventTaskProgress | EventTaskComplete | EventTaskFailed | EventArtifactEmitted | EventApprovalRequested | EventApprovalResolved | EventSessionMessage | EventSessionClosed | EventToolCallExecuted | EventOther

/** With `include=log`. */
export interface EventLog {
  /** When it was appended to the log. */
  readonly appended_at: string
  /** When queries could see it; null for old events. */
  readonly projected_at: string | null
  /** For keys with scope `platform`. */
  readonly partition?: number
  /** For keys with scope `platform`. */
  readonly offset?: string
}

/** `EventDelivery` as the API documents it. */
export interface EventDelivery {
  /** TypeID of the delivery. */
  readonly id: string
  /** Whose delivery it is. */
  readonly webhook_id: string
  readonly status: "pending" | "delivered" | "failed" | "cancelled"
  readonly attempt_count: number
  readonly last_attempt_at: string | null
  readonly last_response_status: number | null
  /** Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
  readonly last_error_class: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
  readonly next_attempt_at: string | null
}

/** `Task` as the API documents it. */
export interface Task {
  readonly object: "task"
  readonly id: string
  /** Of its `task.created`. */
  readonly created_at: string
  /** The agent of its `task.created`. */
  readonly agent: string | null
  readonly created: EventTaskCreated
  /** The newest event of the task. */
  readonly last: ApiEvent
}

/** `NewEvent` as the API documents it. */
export type NewEvent = NewEventTaskCreated | NewEventTaskProgress | NewEventTaskComplete | NewEventTaskFailed | NewEventArtifactEmitted | NewEventApprovalRequested | NewEventApprovalResolved | NewEventSessionMessage | NewEventSessionClosed | NewEventToolCallExecuted

/** One event, or several. */
export type NewEvents = NewEvent | readonly NewEvent[]

/** An event as a CloudEvent (https://cloudevents.io). */
export interface NewCloudEvent {
  readonly specversion: "1.0"
  /** `evt_…`, or any text that is unique for the source; then `time` is required. */
  readonly id: string
  /** A URI reference: who says so. */
  readonly source: string
  readonly type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  /** The task; of `session.*` without `taskid` the session. */
  readonly subject?: string | null
  /** `created_at` of the event. */
  readonly time?: string | null
  /** JSON, if it is given. */
  readonly datacontenttype?: string | null
  readonly taskid?: string | null
  readonly sessionid?: string | null
  readonly agent?: string | null
  /** As `data` of an event of this type. */
  readonly data: Readonly<Record<string, unknown>>
}

/** `IngestResults` as the API documents it. */
export interface IngestResults {
  readonly object: "list"
  /** One for each entry, in the order in which they were posted. */
  readonly data: readonly (AcceptedEntry | RefusedEntry)[]
}

/** `AcceptedEntry` as the API documents it. */
export interface AcceptedEntry {
  readonly index: number
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  /** `accepted`: safe in the log. `retry`: not written; post it again with this id. */
  readonly status: "accepted" | "retry"
}

/** `RefusedEntry` as the API documents it. */
export interface RefusedEntry {
  readonly index: number
  readonly status: "refused"
  readonly error: {
    readonly code: string
    /** JSON pointer (RFC 6901) into the entry. */
    readonly pointer: string
    readonly message: string
  }
}

/** `StreamToken` as the API documents it. */
export interface StreamToken {
  readonly object: "stream_token"
  /** For `?token=` of the stream; nothing else takes it. */
  readonly token: string
  readonly expires_at: string
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly types: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[] | null
}

/** `StreamTokenRequest` as the API documents it. */
export interface StreamTokenRequest {
  readonly task_id?: string | null
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[] | null
  /** Seconds. Default: 3600. */
  readonly ttl_s?: number | null
}

/** `Webhook` as the API documents it. */
export interface Webhook {
  readonly object: "webhook"
  /** TypeID of the webhook. */
  readonly id: string
  readonly url: string
  /** Exact types, groups (`task.*`) or `*`. */
  readonly events: readonly ("*" | "task.*" | "artifact.*" | "approval.*" | "session.*" | "tool_call.*" | "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly description: string | null
  readonly enabled: boolean
  /** Known values: `manual`, `gone`, `failures`; more may be added. */
  readonly disabled_reason: "manual" | "gone" | "failures" | null
  /** Names only: values are kept like secrets. */
  readonly headers: readonly string[]
  readonly rate_limit: number | null
  readonly ordering: "none" | "task"
  readonly filter: WebhookFilter | null
  /** 10,000 means 10,000 or more. */
  readonly pending_count: number
  /** When the pending delivery of the oldest event was created. */
  readonly oldest_pending_at: string | null
  readonly failing_since: string | null
  readonly last_success_at: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** `WebhookWithSecret` as the API documents it. */
export interface WebhookWithSecret {
  readonly object: "webhook"
  /** TypeID of the webhook. */
  readonly id: string
  readonly url: string
  /** Exact types, groups (`task.*`) or `*`. */
  readonly events: readonly ("*" | "task.*" | "artifact.*" | "approval.*" | "session.*" | "tool_call.*" | "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly description: string | null
  readonly enabled: boolean
  /** Known values: `manual`, `gone`, `failures`; more may be added. */
  readonly disabled_reason: "manual" | "gone" | "failures" | null
  /** Names only: values are kept like secrets. */
  readonly headers: readonly string[]
  readonly rate_limit: number | null
  readonly ordering: "none" | "task"
  readonly filter: WebhookFilter | null
  /** 10,000 means 10,000 or more. */
  readonly pending_count: number
  /** When the pending delivery of the oldest event was created. */
  readonly oldest_pending_at: string | null
  readonly failing_since: string | null
  readonly last_success_at: string | null
  readonly created_at: string
  readonly updated_at: string
  /** Shown this once. */
  readonly secret: string
}

/** `NewWebhook` as the API documents it. */
export interface NewWebhook {
  /** https, a public address, no credentials. */
  readonly url: string
  /** Exact types, groups (`task.*`) or `*`. */
  readonly events: readonly ("*" | "task.*" | "artifact.*" | "approval.*" | "session.*" | "tool_call.*" | "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  readonly task_id?: string | null
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly description?: string | null
  /** Headers that are added to every delivery; not headers that the service or the connection sets. */
  readonly headers?: Readonly<Record<string, string>> | null
  /** Deliveries a second; null is no limit. */
  readonly rate_limit?: number | null
  readonly filter?: WebhookFilter | null
  /** Default: true. */
  readonly enabled?: boolean | null
  /** `task`: the events of one task one after another. Default: `none`. */
  readonly ordering?: "none" | "task" | null
  /** Printable ASCII; `whsec_…` must be base64 of at least 24 bytes. Without one a secret is generated. It is shown once. */
  readonly secret?: string | null
}

/** `WebhookChanges` as the API documents it. */
export interface WebhookChanges {
  readonly url?: string
  /** Exact types, groups (`task.*`) or `*`. */
  readonly events?: readonly ("*" | "task.*" | "artifact.*" | "approval.*" | "session.*" | "tool_call.*" | "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  readonly task_id?: string | null
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly description?: string | null
  /** Headers that are added to every delivery; not headers that the service or the connection sets. */
  readonly headers?: Readonly<Record<string, string>> | null
  /** Deliveries a second; null is no limit. */
  readonly rate_limit?: number | null
  readonly filter?: WebhookFilter | null
  readonly enabled?: boolean
  readonly ordering?: "none" | "task"
}

/** What an event must hold, besides its type. Keys are `type`, `agent`, `task_id`, `session_id` or a path `data.a.b`, each with a condition, and `$and` and `$or` with further filters; all keys must hold. At most 4 KiB, 20 operators and 5 levels. */
export interface WebhookFilter {
  readonly type?: FilterCondition
  readonly agent?: FilterCondition
  readonly task_id?: FilterCondition
  readonly session_id?: FilterCondition
  readonly $and?: readonly WebhookFilter[]
  readonly $or?: readonly WebhookFilter[]
  readonly [name: string]: FilterCondition | readonly WebhookFilter[] | undefined
}

/** What a member must be. A bare value is short for `{"$eq": value}`. */
export type FilterCondition = string | number | boolean | null | FilterOperators

/** Operators on one member, joined by and. */
export interface FilterOperators {
  readonly $eq?: string | number | boolean | null
  readonly $in?: readonly (string | number | boolean | null)[]
  readonly $gt?: string | number
  readonly $gte?: string | number
  readonly $lt?: string | number
  readonly $lte?: string | number
  readonly $exists?: boolean
  readonly $not?: FilterCondition
}

/** `RotateSecret` as the API documents it. */
export interface RotateSecret {
  readonly secret?: string | null
  /** How long the old secret still signs. Default: 24. */
  readonly overlap_hours?: number | null
}

/** `TestWebhook` as the API documents it. */
export interface TestWebhook {
  readonly type?: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed" | null
}

/** `Delivery` as the API documents it. */
export interface Delivery {
  readonly object: "delivery"
  /** TypeID of the delivery. */
  readonly id: string
  /** Whose delivery it is. */
  readonly webhook_id: string
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly event_id: string
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly event_type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  readonly task_id: string | null
  readonly status: "pending" | "delivered" | "failed" | "cancelled"
  /** Keeps counting after a redelivery. */
  readonly attempt_count: number
  readonly last_attempt_at: string | null
  readonly last_response_status: number | null
  /** Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
  readonly last_error_class: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
  readonly next_attempt_at: string | null
  readonly created_at: string
  readonly finished_at: string | null
}

/** `ListedDelivery` as the API documents it. */
export interface ListedDelivery {
  readonly object: "delivery"
  /** TypeID of the delivery. */
  readonly id: string
  /** Whose delivery it is. */
  readonly webhook_id: string
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly event_id: string
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly event_type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  readonly task_id: string | null
  readonly status: "pending" | "delivered" | "failed" | "cancelled"
  /** Keeps counting after a redelivery. */
  readonly attempt_count: number
  readonly last_attempt_at: string | null
  readonly last_response_status: number | null
  /** Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
  readonly last_error_class: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
  readonly next_attempt_at: string | null
  readonly created_at: string
  readonly finished_at: string | null
  /** With `include=attempts`: the newest 20, newest first. */
  readonly attempts?: readonly ({
    readonly attempt: number
    /** A probe of a failing endpoint; it counts towards no schedule. */
    readonly probe: boolean
    readonly started_at: string
    /** Null after a `dns_error` too. */
    readonly dns_ms: number | null
    readonly connect_ms: number | null
    readonly tls_ms: number | null
    readonly first_byte_ms: number | null
    readonly total_ms: number | null
    /** The address that was dialled. */
    readonly address: string | null
    readonly status: number | null
    /** `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
    readonly error: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
    readonly error_detail: string | null
    readonly next_attempt_at: string | null
  })[]
  /** There are more than 20 attempts. */
  readonly attempts_truncated?: true
}

/** `DeliveryWithAttempts` as the API documents it. */
export interface DeliveryWithAttempts {
  readonly object: "delivery"
  /** TypeID of the delivery. */
  readonly id: string
  /** Whose delivery it is. */
  readonly webhook_id: string
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly event_id: string
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly event_type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  readonly task_id: string | null
  readonly status: "pending" | "delivered" | "failed" | "cancelled"
  /** Keeps counting after a redelivery. */
  readonly attempt_count: number
  readonly last_attempt_at: string | null
  readonly last_response_status: number | null
  /** Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
  readonly last_error_class: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
  readonly next_attempt_at: string | null
  readonly created_at: string
  readonly finished_at: string | null
  readonly attempts: readonly ({
    readonly attempt: number
    /** A probe of a failing endpoint; it counts towards no schedule. */
    readonly probe: boolean
    readonly started_at: string
    /** Null after a `dns_error` too. */
    readonly dns_ms: number | null
    readonly connect_ms: number | null
    readonly tls_ms: number | null
    readonly first_byte_ms: number | null
    readonly total_ms: number | null
    /** The address that was dialled. */
    readonly address: string | null
    readonly status: number | null
    /** `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
    readonly error: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
    readonly error_detail: string | null
    readonly next_attempt_at: string | null
    /** Names and values of at most 2 KiB together; a header that does not fit is left out. */
    readonly response_headers: Readonly<Record<string, string>> | null
    /** At most 16 KiB. */
    readonly response_body: string | null
  })[]
}

/** `WebhookStats` as the API documents it. */
export interface WebhookStats {
  readonly object: "webhook_stats"
  /** Whose figures they are. */
  readonly webhook_id: string
  readonly window: "1h" | "24h" | "7d"
  readonly from: string
  readonly to: string
  readonly delivered_count: number
  readonly failed_count: number
  readonly attempt_count: number
  /** Failed attempts by class. */
  readonly error_classes: Readonly<Record<string, number>>
  readonly latency_ms: {
    readonly p50: number
    readonly p95: number
    readonly p99: number
  } | null
  /** Oldest first; the last one is running. */
  readonly buckets: readonly ({
    readonly at: string
    readonly delivered_count: number
    readonly failed_count: number
    readonly attempt_count: number
    readonly latency_p95_ms: number | null
  })[]
}

/** `Redelivery` as the API documents it. */
export interface Redelivery {
  readonly object: "redelivery"
  /** TypeID of the redelivery. */
  readonly id: string
  readonly status: "running" | "completed" | "cancelled" | "failed"
  readonly dry_run: boolean
  readonly filter: {
    /** Only of this webhook. */
    readonly webhook_id?: string
    /** Only of this event. */
    readonly event_id?: string
    readonly task_id?: string
    /** An event type, or several separated by commas; also when it was given as `types`. */
    readonly type?: string
    /** Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
    readonly error_class?: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked"
    /** Only deliveries whose `created_at` is this time or later (inclusive). */
    readonly after?: string
    /** Only deliveries whose `created_at` is before this time (exclusive). */
    readonly before?: string
    readonly status: "pending" | "delivered" | "failed" | "cancelled"
  }
  /** Deliveries checked so far. */
  readonly scanned_count: number
  /** Deliveries made due; in a dry run: that would be made due. */
  readonly delivery_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly finished_at: string | null
}

/** `RedeliveryRequest` as the API documents it. */
export interface RedeliveryRequest {
  readonly filter: {
    /** Only of this webhook. */
    readonly webhook_id?: string
    /** Only of this event. */
    readonly event_id?: string
    /** Only of events of this task. */
    readonly task_id?: string
    /** Default: `failed`. `pending`: deliveries that are due later. */
    readonly status?: "pending" | "delivered" | "failed" | "cancelled"
    /** An event type, or several separated by commas. */
    readonly type?: string
    /** Another name of `type`: give one of them. */
    readonly types?: string
    /** Only deliveries whose newest attempt has this error class. */
    readonly error_class?: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked"
    /** ISO 8601; only deliveries whose `created_at` is this time or later (inclusive). */
    readonly after?: string
    /** ISO 8601; only deliveries whose `created_at` is before this time (exclusive). */
    readonly before?: string
  }
  /** Only counts. Default: false. */
  readonly dry_run?: boolean | null
}

/** `TestAttempt` as the API documents it. */
export interface TestAttempt {
  readonly attempt: number
  /** A probe of a failing endpoint; it counts towards no schedule. */
  readonly probe: boolean
  readonly started_at: string
  /** Null after a `dns_error` too. */
  readonly dns_ms: number | null
  readonly connect_ms: number | null
  readonly tls_ms: number | null
  readonly first_byte_ms: number | null
  readonly total_ms: number | null
  /** The address that was dialled. */
  readonly address: string | null
  readonly status: number | null
  /** `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added. */
  readonly error: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked" | null
  readonly error_detail: string | null
  readonly next_attempt_at: string | null
  /** Names and values of at most 2 KiB together; a header that does not fit is left out. */
  readonly response_headers: Readonly<Record<string, string>> | null
  /** At most 16 KiB. */
  readonly response_body: string | null
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly event_id: string
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly event_type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
}

/** `ReplayRequest` as the API documents it. */
export interface ReplayRequest {
  /** ISO 8601; only events that were appended to the log after this time (exclusive), at most 30 days back. Give exactly one of `after` and `from`. */
  readonly after?: string | null
  /** A position of a stream (the `id` of an event there): exactly the events after it. */
  readonly from?: string | null
  /** ISO 8601; only events that were appended to the log before this time (exclusive); default: now. */
  readonly before?: string | null
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[] | null
  /** Only events whose delivery has this status. */
  readonly status?: "delivered" | "failed" | "cancelled" | null
  /** Only counts. Default: false. */
  readonly dry_run?: boolean | null
}

/** `Replay` as the API documents it. */
export interface Replay {
  readonly object: "replay"
  /** TypeID of the replay. */
  readonly id: string
  /** Whose deliveries are made again. */
  readonly webhook_id: string
  readonly status: "running" | "completed" | "cancelled"
  readonly dry_run: boolean
  /** Only events that were appended after this time; with `from` a time before all of them. */
  readonly after: string
  /** The position of a stream that it was asked to begin at. */
  readonly from: string | null
  /** Whether that position was lost: it begins at the earliest event of the last 30 days. */
  readonly truncated: boolean
  readonly before: string
  readonly types: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[] | null
  readonly delivery_status: "delivered" | "failed" | "cancelled" | null
  /** Events checked so far. */
  readonly scanned_count: number
  /** Deliveries made pending; in a dry run: that would be made pending. */
  readonly delivery_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly finished_at: string | null
}

/** `ApiKey` as the API documents it. */
export interface ApiKey {
  readonly object: "api_key"
  /** TypeID of the key. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly ("events:write" | "events:read" | "webhooks" | "admin" | "platform")[]
  readonly quota: {
    readonly events_per_s: number | null
    readonly bytes_per_s: number | null
  }
  readonly expires_at: string | null
  readonly name: string
  readonly created_at: string
  /** To the minute, at most 60 s old. */
  readonly last_used_at: string | null
}

/** `CurrentApiKey` as the API documents it. */
export interface CurrentApiKey {
  readonly object: "api_key"
  /** TypeID of the key. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly ("events:write" | "events:read" | "webhooks" | "admin" | "platform")[]
  readonly quota: {
    readonly events_per_s: number | null
    readonly bytes_per_s: number | null
  }
  readonly expires_at: string | null
}

/** `NewApiKey` as the API documents it. */
export interface NewApiKey {
  readonly object: "api_key"
  /** TypeID of the key. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly ("events:write" | "events:read" | "webhooks" | "admin" | "platform")[]
  readonly quota: {
    readonly events_per_s: number | null
    readonly bytes_per_s: number | null
  }
  readonly expires_at: string | null
  readonly name: string
  readonly created_at: string
  /** To the minute, at most 60 s old. */
  readonly last_used_at: string | null
  /** The key itself; it is shown this once. */
  readonly key: string
}

/** `NewApiKeyRequest` as the API documents it. */
export interface NewApiKeyRequest {
  readonly name: string
  readonly scopes: readonly ("events:write" | "events:read" | "webhooks" | "admin" | "platform")[]
  /** Default: your own. Another one needs `platform`. */
  readonly tenant?: string | null
  readonly expires_at?: string | null
  readonly quota?: {
    readonly events_per_s?: number | null
    readonly bytes_per_s?: number | null
  } | null
}

/** `ApiKeyChanges` as the API documents it. */
export interface ApiKeyChanges {
  readonly name?: string
  /** Replaces the whole quota. */
  readonly quota?: {
    readonly events_per_s?: number | null
    readonly bytes_per_s?: number | null
  } | null
  readonly expires_at?: string | null
}

/** `RotateApiKey` as the API documents it. */
export interface RotateApiKey {
  /** How long the old secret still works. Default: 24. */
  readonly overlap_hours?: number | null
}

/** `Tenant` as the API documents it. */
export interface Tenant {
  readonly object: "tenant"
  readonly id: string
  /** `deleted` is shown in `GET /v1/tenants?state=deleted` alone. */
  readonly state: "active" | "suspended" | "deleting" | "deleted"
  readonly limits: {
    readonly events_per_s: number | null
    readonly streams: number | null
    readonly webhooks: number | null
    readonly api_keys: number | null
  }
  /** Rows that the deletion has removed so far. */
  readonly deleted_count?: number
  /** Null for a tenant that was never put. */
  readonly created_at: string | null
  readonly updated_at: string | null
}

/** `TenantRequest` as the API documents it. */
export interface TenantRequest {
  readonly state?: "active" | "suspended"
  readonly limits?: {
    /** Over all keys and replicas; null: no limit. */
    readonly events_per_s?: number | null
    /** Open streams over all gateways; null: the setting. */
    readonly streams?: number | null
    /** Null: 100. */
    readonly webhooks?: number | null
    /** Keys that are not revoked; null: 1,000. */
    readonly api_keys?: number | null
  }
}

/** `AuditEntry` as the API documents it. */
export interface AuditEntry {
  readonly object: "audit_entry"
  /** TypeID of the entry. */
  readonly id: string
  readonly at: string
  /** The key that called. */
  readonly key_id: string
  readonly tenant: string
  /** Known values: `api_key.create`, `api_key.update`, `api_key.rotate`, `api_key.revoke`, `webhook.create`, `webhook.update`, `webhook.rotate_secret`, `webhook.delete`, `tenant.put`, `tenant.delete`; more may be added. */
  readonly action: "api_key.create" | "api_key.update" | "api_key.rotate" | "api_key.revoke" | "webhook.create" | "webhook.update" | "webhook.rotate_secret" | "webhook.delete" | "tenant.put" | "tenant.delete"
  /** The id of the changed resource. */
  readonly target: string
  readonly request_id: string
  /** The members that changed. For a creation: the members that were set, with `before` null. Of several updates `before` is from the first and `after` from the last. */
  readonly changes: readonly ({
    /** JSON pointer to the innermost member that changed, such as `/quota/events_per_s`. */
    readonly member: string
    /** Absent beside `changed`. */
    readonly before?: unknown
    /** Absent beside `changed`. */
    readonly after?: unknown
    /** It changed and its values are not kept: secrets, headers and filters. */
    readonly changed?: true
    /** A value is longer than 1 KiB: it is the beginning of its text, or of its JSON. */
    readonly truncated?: true
  })[]
  /** Updates that the entry counts: of the same members, by the same key within a minute. `at` and `request_id` are of the first one. */
  readonly count: number
}

/** `DeadLetter` as the API documents it. */
export interface DeadLetter {
  readonly object: "dead_letter"
  /** `<partition>-<offset>` in the topic of dead letters. */
  readonly id: string
  /** When it became a dead letter. */
  readonly at: string
  /** A stable code; more may be added. */
  readonly reason: string
  /** One sentence; it holds no payload. */
  readonly detail: string
  /** The `ce_source` of the record. */
  readonly source: string | null
  /** The partition of the log that has the record. */
  readonly partition: number | null
  /** Its offset there. */
  readonly offset: string | null
  /** The key, base64; its first 1,024 bytes. */
  readonly key: string | null
  /** The headers as text, at most 50 of them and 256 characters of each. */
  readonly headers: Readonly<Record<string, unknown>>
  /** The value, base64; its first 1,024 bytes. */
  readonly value_preview: string | null
}

/** `System` as the API documents it. */
export interface System {
  readonly object: "system"
  /** Now, by the clock of Postgres, as the other times are. */
  readonly as_of: string
  /** The newest epoch of the log; null before the first. */
  readonly log: {
    readonly epoch: number
    readonly topic: string
    readonly opened_at: string
    /** By number. */
    readonly partitions: readonly ({
      readonly partition: number
      /** The first offset that is not projected: queries see what is before it. */
      readonly projected_offset: string
      /** When `projected_offset` moved last. */
      readonly projected_at: string
      /** When the log took the newest projected events, to the second; null before the first. */
      readonly appended_at: string | null
      /** The first offset that webhooks were not matched with; null before the first. */
      readonly matched_offset: string | null
      readonly matched_at: string | null
    })[]
  } | null
  /** Processes that registered themselves, by service: at most 500 webhook workers, and 500 others. A stopped one is listed for a while. */
  readonly processes: readonly ({
    /** `ingest`, `stream-gateway` or `webhook-worker`; more may be added. */
    readonly service: string
    /** Another one after each start. */
    readonly id: string
    /** Time of its last heartbeat. */
    readonly seen_at: string
  })[]
  readonly deliveries: {
    /** Deliveries that are neither delivered, failed nor cancelled. */
    readonly pending_count: number
    /** Pending deliveries that may be sent now. */
    readonly due_count: number
    /** False when the count ended at a limit: there are at least so many. */
    readonly complete: boolean
  }
  /** The webhooks with the most pending deliveries, largest first. */
  readonly backlogs: readonly ({
    /** Whose deliveries wait. */
    readonly webhook_id: string
    readonly tenant: string
    /** 10,000 means 10,000 or more. */
    readonly pending_count: number
    /** 10,000 means 10,000 or more. */
    readonly due_count: number
    /** When the pending delivery of the oldest event was created. */
    readonly oldest_pending_at: string | null
    readonly enabled: boolean
    /** Known values: `manual`, `gone`, `failures`; more may be added. */
    readonly disabled_reason: "manual" | "gone" | "failures" | null
    readonly failing_since: string | null
  })[]
}

/** `EventTypeDescription` as the API documents it. */
export interface EventTypeDescription {
  readonly object: "event_type"
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  readonly description: string
  /** JSON Schema of the posted `data`. */
  readonly schema: Readonly<Record<string, unknown>>
  /** An example of `data`. */
  readonly example: Readonly<Record<string, unknown>>
}

/** `Index` as the API documents it. */
export interface Index {
  readonly object: "index"
  readonly name: string
  /** Of the API. */
  readonly version: string
  /** Paths of the documents. */
  readonly links: {
    /** The reference. */
    readonly docs: string
    /** The guides. */
    readonly guides: string
    /** The OpenAPI document. */
    readonly openapi: string
    /** The API for language models. */
    readonly llms: string
    /** The AsyncAPI document. */
    readonly asyncapi: string
    /** All problems. */
    readonly problems: string
  }
}

/** `ProblemKind` as the API documents it. */
export interface ProblemKind {
  readonly code: string
  readonly title: string
  readonly status: number
  readonly cause: string
  readonly fix: string
  /** A problem with this code. */
  readonly example: Readonly<Record<string, unknown>>
}

/** What went wrong (RFC 9457). */
export interface Problem {
  /** Path of a page with cause and fix. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  /** Path of the request. */
  readonly instance: string
  /** Stable, snake_case: for programs to distinguish problems. */
  readonly code: string
  /** As in `X-Request-Id`; name it when you ask us. */
  readonly request_id: string
  readonly errors?: readonly ({
    /** JSON pointer (RFC 6901) into the body, or into the entry of a batch. */
    readonly pointer?: string
    /** Name of a parameter or header. */
    readonly parameter?: string
    /** Entry of the batch. */
    readonly index?: number
    /** Stable, snake_case. */
    readonly code: string
    /** Completes a sentence that begins with the pointer, parameter or entry. */
    readonly message: string
  })[]
  /** With `redelivery_under_way`: the running redelivery, of dry runs the oldest. Absent when it has ended since. */
  readonly redelivery_id?: string
  /** With `log_unavailable`, `log_identity_changed` and `clock_skew`: the result of each entry. Post entries with `retry` again, with these ids. */
  readonly events?: readonly ({
    readonly index: number
    readonly id?: string
    readonly status: string
  })[]
}

/** A task is dispatched. Events never change. */
export interface EventTaskCreated {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "task.created"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataTaskCreated
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** A task is dispatched. `data` has at most 256 KiB and 64 levels. */
export interface NewEventTaskCreated {
  readonly type: "task.created"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataTaskCreated
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** A task is dispatched. Other members are kept. */
export interface DataTaskCreated {
  readonly title?: string
  readonly input?: unknown
  readonly parent_task_id?: string
}

/** An agent emits a progress update. Events never change. */
export interface EventTaskProgress {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "task.progress"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataTaskProgress
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** An agent emits a progress update. `data` has at most 256 KiB and 64 levels. */
export interface NewEventTaskProgress {
  readonly type: "task.progress"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataTaskProgress
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** An agent emits a progress update. Other members are kept. */
export interface DataTaskProgress {
  readonly message: string
  readonly progress?: number
}

/** An agent completes a task. Events never change. */
export interface EventTaskComplete {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "task.complete"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataTaskComplete
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** An agent completes a task. `data` has at most 256 KiB and 64 levels. */
export interface NewEventTaskComplete {
  readonly type: "task.complete"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataTaskComplete
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** An agent completes a task. Other members are kept. */
export interface DataTaskComplete {
  readonly artifact_count?: number
  readonly result?: unknown
}

/** An agent reports failure. Events never change. */
export interface EventTaskFailed {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "task.failed"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataTaskFailed
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** An agent reports failure. `data` has at most 256 KiB and 64 levels. */
export interface NewEventTaskFailed {
  readonly type: "task.failed"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataTaskFailed
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** An agent reports failure. Other members are kept. */
export interface DataTaskFailed {
  readonly error: {
    readonly message: string
    readonly code?: string
  }
  readonly retryable?: boolean
}

/** An agent emits an artifact. Events never change. */
export interface EventArtifactEmitted {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "artifact.emitted"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataArtifactEmitted
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** An agent emits an artifact. `data` has at most 256 KiB and 64 levels. */
export interface NewEventArtifactEmitted {
  readonly type: "artifact.emitted"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataArtifactEmitted
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** An agent emits an artifact. Other members are kept. */
export interface DataArtifactEmitted {
  readonly artifact_id: string
  readonly type: string
  readonly uri?: string
  readonly media_type?: string
  readonly size_bytes?: number
}

/** An agent requests human approval. Events never change. */
export interface EventApprovalRequested {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "approval.requested"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataApprovalRequested
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** An agent requests human approval. `data` has at most 256 KiB and 64 levels. */
export interface NewEventApprovalRequested {
  readonly type: "approval.requested"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataApprovalRequested
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** An agent requests human approval. Other members are kept. */
export interface DataApprovalRequested {
  readonly approval_id: string
  readonly action?: string
  readonly reason?: string
  readonly expires_at?: string
}

/** A human approves or denies. Events never change. */
export interface EventApprovalResolved {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "approval.resolved"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataApprovalResolved
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** A human approves or denies. `data` has at most 256 KiB and 64 levels. */
export interface NewEventApprovalResolved {
  readonly type: "approval.resolved"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataApprovalResolved
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** A human approves or denies. Other members are kept. */
export interface DataApprovalResolved {
  readonly approval_id: string
  readonly decision: "approved" | "denied"
  readonly resolved_by?: string
  readonly comment?: string
}

/** A message is added to a session. Events never change. */
export interface EventSessionMessage {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "session.message"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataSessionMessage
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** A message is added to a session. `data` has at most 256 KiB and 64 levels. */
export interface NewEventSessionMessage {
  readonly type: "session.message"
  readonly task_id?: string | null
  readonly session_id: string
  readonly agent?: string | null
  readonly data: DataSessionMessage
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** A message is added to a session. Other members are kept. */
export interface DataSessionMessage {
  readonly role: "user" | "assistant" | "system" | "tool"
  readonly content: string | readonly unknown[]
  readonly message_id?: string
}

/** A session ends. Events never change. */
export interface EventSessionClosed {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "session.closed"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataSessionClosed
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** A session ends. `data` has at most 256 KiB and 64 levels. */
export interface NewEventSessionClosed {
  readonly type: "session.closed"
  readonly task_id?: string | null
  readonly session_id: string
  readonly agent?: string | null
  readonly data: DataSessionClosed
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** A session ends. Other members are kept. */
export interface DataSessionClosed {
  readonly reason?: string
}

/** The tool proxy executes a tool call. Events never change. */
export interface EventToolCallExecuted {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  readonly type: "tool_call.executed"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  readonly data: DataToolCallExecuted
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** The tool proxy executes a tool call. `data` has at most 256 KiB and 64 levels. */
export interface NewEventToolCallExecuted {
  readonly type: "tool_call.executed"
  readonly task_id: string
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly data: DataToolCallExecuted
  /** An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event. */
  readonly id?: string | null
  /** When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`. */
  readonly created_at?: string | null
  /** With `created_at`: the id is derived from both, so a repeated post is the same event. */
  readonly idempotency_key?: string | null
  /** Allowed and ignored, so that an event that was read can be posted unchanged. */
  readonly object?: "event" | null
}

/** The tool proxy executes a tool call. Other members are kept. */
export interface DataToolCallExecuted {
  readonly tool: string
  readonly tool_call_id?: string
  readonly status?: "ok" | "error"
  readonly duration_ms?: number
  readonly arguments?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

/** An event of a type that is added later. Its members are those of every event. */
export interface EventOther {
  readonly object: "event"
  /** TypeID of a UUIDv7; its millisecond is `created_at`. */
  readonly id: string
  /** Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added. */
  readonly type: "task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed"
  readonly created_at: string
  readonly task_id: string | null
  readonly agent: string | null
  readonly session_id: string | null
  /** The posted payload: the caller's bytes, with `task_id` (else `session_id`) as first member. */
  readonly data: Readonly<Record<string, unknown>>
  readonly log?: EventLog
  /** With `include=deliveries`: the newest 100 by id. */
  readonly deliveries?: readonly EventDelivery[]
  /** There are more than 100 deliveries. */
  readonly deliveries_truncated?: true
}

/** The payload of each event type. */
export interface EventDataByType {
  readonly 'task.created': DataTaskCreated
  readonly 'task.progress': DataTaskProgress
  readonly 'task.complete': DataTaskComplete
  readonly 'task.failed': DataTaskFailed
  readonly 'artifact.emitted': DataArtifactEmitted
  readonly 'approval.requested': DataApprovalRequested
  readonly 'approval.resolved': DataApprovalResolved
  readonly 'session.message': DataSessionMessage
  readonly 'session.closed': DataSessionClosed
  readonly 'tool_call.executed': DataToolCallExecuted
}

/** Query parameters of `listEvents`. */
export interface ListEventsQuery {
  /** Only events of this task. */
  readonly task_id?: string
  /** Only events from this agent. */
  readonly agent?: string
  /** Only events of this session. */
  readonly session_id?: string
  /** Only events of this type, or of these, separated by commas. */
  readonly type?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Another name of `type`: give one of them. */
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Only events whose `created_at` is after this time (exclusive). */
  readonly after?: string
  /** Only events whose `created_at` is before this time (exclusive). */
  readonly before?: string
  /** `asc` for oldest first. */
  readonly order?: "desc" | "asc"
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
  /** `log`: when the event was appended to the log, and when lists could show it. `deliveries`: its deliveries to webhooks; needs the scope `webhooks` too, and `limit` ≤ 100. */
  readonly include?: readonly ("log" | "deliveries")[]
}

/** Query parameters of `streamEvents`. */
export interface StreamEventsQuery {
  /** Only events of this task. */
  readonly task_id?: string
  /** Only events from this agent. */
  readonly agent?: string
  /** Only events of this session. */
  readonly session_id?: string
  /** Only these types, separated by commas. */
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Sends the whole event object as data. */
  readonly envelope?: boolean
  /** Starts with events that were appended to the log at this time or later (inclusive); up to a second of earlier events may be sent too. A position takes precedence. */
  readonly after?: string
  /** A position, for clients that cannot send the header. */
  readonly last_event_id?: string
  /** A stream token, in place of a key; it holds the filter. */
  readonly token?: string
}

/** Query parameters of `streamEventsByForm`. */
export interface StreamEventsByFormQuery {
  /** Only events of this task. */
  readonly task_id?: string
  /** Only events from this agent. */
  readonly agent?: string
  /** Only events of this session. */
  readonly session_id?: string
  /** Only these types, separated by commas. */
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Sends the whole event object as data. */
  readonly envelope?: boolean
  /** Starts with events that were appended to the log at this time or later (inclusive); up to a second of earlier events may be sent too. A position takes precedence. */
  readonly after?: string
  /** A position, for clients that cannot send the header. */
  readonly last_event_id?: string
  /** A stream token, in place of a key; it holds the filter. */
  readonly token?: string
}

/** Query parameters of `getEvent`. */
export interface GetEventQuery {
  /** `log`: when the event was appended to the log, and when lists could show it. `deliveries`: its deliveries to webhooks; needs the scope `webhooks` too, and `limit` ≤ 100. */
  readonly include?: readonly ("log" | "deliveries")[]
}

/** Query parameters of `listTasks`. */
export interface ListTasksQuery {
  /** Only tasks whose `task.created` is from this agent. */
  readonly agent?: string
  /** Only tasks that were created after this time (exclusive). */
  readonly after?: string
  /** Only tasks that were created before this time (exclusive). */
  readonly before?: string
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listWebhooks`. */
export interface ListWebhooksQuery {
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `getWebhookStats`. */
export interface GetWebhookStatsQuery {
  /** How far back: 60, 96 or 168 buckets. */
  readonly window?: "1h" | "24h" | "7d"
}

/** Query parameters of `listReplays`. */
export interface ListReplaysQuery {
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listDeliveries`. */
export interface ListDeliveriesQuery {
  /** Only of this event. */
  readonly event_id?: string
  /** Only of events of this task. */
  readonly task_id?: string
  /** Only deliveries with this status. */
  readonly status?: "pending" | "delivered" | "failed" | "cancelled"
  /** Only events of these types, separated by commas. */
  readonly type?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Another name of `type`: give one of them. */
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Only deliveries whose newest attempt failed with this class. */
  readonly error_class?: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked"
  /** Only deliveries whose `created_at` is this time or later (inclusive). */
  readonly after?: string
  /** Only deliveries whose `created_at` is before this time (exclusive). */
  readonly before?: string
  /** `attempts`: the newest 20 attempts of each, newest first, without headers and bodies of answers; needs `limit` ≤ 100. */
  readonly include?: readonly "attempts"[]
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `findDeliveries`. */
export interface FindDeliveriesQuery {
  /** Only of this webhook. */
  readonly webhook_id?: string
  /** Only of this event. */
  readonly event_id?: string
  /** Only of events of this task. */
  readonly task_id?: string
  /** Only deliveries with this status. */
  readonly status?: "pending" | "delivered" | "failed" | "cancelled"
  /** Only events of these types, separated by commas. */
  readonly type?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Another name of `type`: give one of them. */
  readonly types?: readonly ("task.created" | "task.progress" | "task.complete" | "task.failed" | "artifact.emitted" | "approval.requested" | "approval.resolved" | "session.message" | "session.closed" | "tool_call.executed")[]
  /** Only deliveries whose newest attempt failed with this class. */
  readonly error_class?: "http_3xx" | "http_4xx" | "http_5xx" | "timeout" | "tls_error" | "connection_refused" | "connection_reset" | "dns_error" | "blocked"
  /** Only deliveries whose `created_at` is this time or later (inclusive). */
  readonly after?: string
  /** Only deliveries whose `created_at` is before this time (exclusive). */
  readonly before?: string
  /** `attempts`: the newest 20 attempts of each, newest first, without headers and bodies of answers; needs `limit` ≤ 100. */
  readonly include?: readonly "attempts"[]
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listRedeliveries`. */
export interface ListRedeliveriesQuery {
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listApiKeys`. */
export interface ListApiKeysQuery {
  /** Whose keys; default: your own. */
  readonly tenant?: string
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listTenants`. */
export interface ListTenantsQuery {
  /** Only this state; default: all but `deleted`. */
  readonly state?: "active" | "suspended" | "deleting" | "deleted"
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listAuditEntries`. */
export interface ListAuditEntriesQuery {
  /** Whose; default: your own. */
  readonly tenant?: string
  /** Only this action. */
  readonly action?: "api_key.create" | "api_key.update" | "api_key.rotate" | "api_key.revoke" | "webhook.create" | "webhook.update" | "webhook.rotate_secret" | "webhook.delete" | "tenant.put" | "tenant.delete"
  /** Only entries whose `at` is this time or later (inclusive). */
  readonly after?: string
  /** Only entries whose `at` is before this time (exclusive). */
  readonly before?: string
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}

/** Query parameters of `listDeadLetters`. */
export interface ListDeadLettersQuery {
  /** Only this reason. */
  readonly reason?: "missing_attribute" | "bad_attribute" | "unknown_type" | "key_mismatch" | "wrong_partition" | "id_out_of_window" | "value_missing" | "value_too_large" | "value_not_utf8" | "value_not_one_line" | "value_not_json_object" | "value_too_deep" | "value_bad_string" | "value_duplicate_member" | "value_first_member" | "not_storable"
  /** Only dead letters whose `at` is this time or later (inclusive). */
  readonly after?: string
  /** Only dead letters whose `at` is before this time (exclusive). */
  readonly before?: string
  /** Largest number of entries of the page. */
  readonly limit?: number
  /** The `next_cursor` of the previous page, with all other parameters unchanged. */
  readonly cursor?: string
}
