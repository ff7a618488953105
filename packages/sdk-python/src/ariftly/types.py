"""The API's objects as typed dictionaries. An event is a union by `type`: comparing it narrows `data`.

Generated from the OpenAPI document by `npm run generate`: do not edit.
"""

# ruff: noqa: E501, UP006, UP007, UP035
# fmt: off
import sys
from typing import Any, Dict, List, Literal, Union

if sys.version_info >= (3, 13):
    from typing import NotRequired, TypedDict
else:
    # httpx2 depends on it there.
    from typing_extensions import NotRequired, TypedDict


class EventLog(TypedDict):
    """With `include=log`."""

    #: When it was appended to the log.
    appended_at: str
    #: When queries could see it; null for old events.
    projected_at: "Union[str, None]"
    #: For keys with scope `platform`.
    partition: NotRequired[int]
    #: For keys with scope `platform`.
    offset: NotRequired[str]


class EventDelivery(TypedDict):
    """`EventDelivery` as the API documents it."""

    #: TypeID of the delivery.
    id: str
    #: Whose delivery it is.
    webhook_id: str
    status: "Literal['pending', 'delivered', 'failed', 'cancelled']"
    attempt_count: int
    last_attempt_at: "Union[str, None]"
    last_response_status: "Union[int, None]"
    #: Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    last_error_class: "Union[str, None]"
    next_attempt_at: "Union[str, None]"


class Task(TypedDict):
    """`Task` as the API documents it."""

    object: "Literal['task']"
    id: str
    #: Of its `task.created`.
    created_at: str
    #: The agent of its `task.created`.
    agent: "Union[str, None]"
    created: "EventTaskCreated"
    #: The newest event of the task.
    last: "Event"


class NewCloudEvent(TypedDict):
    """An event as a CloudEvent (https://cloudevents.io)."""

    specversion: "Literal['1.0']"
    #: `evt_…`, or any text that is unique for the source; then `time` is required.
    id: str
    #: A URI reference: who says so.
    source: str
    type: "Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']"
    #: The task; of `session.*` without `taskid` the session.
    subject: NotRequired["Union[str, None]"]
    #: `created_at` of the event.
    time: NotRequired["Union[str, None]"]
    #: JSON, if it is given.
    datacontenttype: NotRequired["Union[str, None]"]
    taskid: NotRequired["Union[str, None]"]
    sessionid: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    #: As `data` of an event of this type.
    data: "Dict[str, Any]"


class IngestResults(TypedDict):
    """`IngestResults` as the API documents it."""

    object: "Literal['list']"
    #: One for each entry, in the order in which they were posted.
    data: "List[Union[AcceptedEntry, RefusedEntry]]"


class AcceptedEntry(TypedDict):
    """`AcceptedEntry` as the API documents it."""

    index: int
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    #: `accepted`: safe in the log. `retry`: not written; post it again with this id.
    status: "Literal['accepted', 'retry']"


class RefusedEntry(TypedDict):
    """`RefusedEntry` as the API documents it."""

    index: int
    status: "Literal['refused']"
    error: "RefusedEntryError"


class RefusedEntryError(TypedDict):
    """`RefusedEntryError` as the API documents it."""

    code: str
    #: JSON pointer (RFC 6901) into the entry.
    pointer: str
    message: str


class StreamToken(TypedDict):
    """`StreamToken` as the API documents it."""

    object: "Literal['stream_token']"
    #: For `?token=` of the stream; nothing else takes it.
    token: str
    expires_at: str
    task_id: "Union[str, None]"
    session_id: "Union[str, None]"
    agent: "Union[str, None]"
    types: "Union[List[str], None]"


class StreamTokenRequest(TypedDict):
    """`StreamTokenRequest` as the API documents it."""

    task_id: NotRequired["Union[str, None]"]
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    types: NotRequired["Union[List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']], None]"]
    #: Seconds. Default: 3600.
    ttl_s: NotRequired["Union[int, None]"]


class Webhook(TypedDict):
    """`Webhook` as the API documents it."""

    object: "Literal['webhook']"
    #: TypeID of the webhook.
    id: str
    url: str
    #: Exact types, groups (`task.*`) or `*`.
    events: "List[str]"
    task_id: "Union[str, None]"
    session_id: "Union[str, None]"
    agent: "Union[str, None]"
    description: "Union[str, None]"
    enabled: bool
    #: Known values: `manual`, `gone`, `failures`; more may be added.
    disabled_reason: "Union[str, None]"
    #: Names only: values are kept like secrets.
    headers: "List[str]"
    rate_limit: "Union[int, None]"
    ordering: "Literal['none', 'task']"
    filter: "Union[WebhookFilter, None]"
    #: 10,000 means 10,000 or more.
    pending_count: int
    #: When the pending delivery of the oldest event was created.
    oldest_pending_at: "Union[str, None]"
    failing_since: "Union[str, None]"
    last_success_at: "Union[str, None]"
    created_at: str
    updated_at: str


class WebhookWithSecret(TypedDict):
    """`WebhookWithSecret` as the API documents it."""

    object: "Literal['webhook']"
    #: TypeID of the webhook.
    id: str
    url: str
    #: Exact types, groups (`task.*`) or `*`.
    events: "List[str]"
    task_id: "Union[str, None]"
    session_id: "Union[str, None]"
    agent: "Union[str, None]"
    description: "Union[str, None]"
    enabled: bool
    #: Known values: `manual`, `gone`, `failures`; more may be added.
    disabled_reason: "Union[str, None]"
    #: Names only: values are kept like secrets.
    headers: "List[str]"
    rate_limit: "Union[int, None]"
    ordering: "Literal['none', 'task']"
    filter: "Union[WebhookFilter, None]"
    #: 10,000 means 10,000 or more.
    pending_count: int
    #: When the pending delivery of the oldest event was created.
    oldest_pending_at: "Union[str, None]"
    failing_since: "Union[str, None]"
    last_success_at: "Union[str, None]"
    created_at: str
    updated_at: str
    #: Shown this once.
    secret: str


class NewWebhook(TypedDict):
    """`NewWebhook` as the API documents it."""

    #: https, a public address, no credentials.
    url: str
    #: Exact types, groups (`task.*`) or `*`.
    events: "List[Literal['*', 'task.*', 'artifact.*', 'approval.*', 'session.*', 'tool_call.*', 'task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"
    task_id: NotRequired["Union[str, None]"]
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    description: NotRequired["Union[str, None]"]
    #: Headers that are added to every delivery; not headers that the service or the connection sets.
    headers: NotRequired["Union[Dict[str, str], None]"]
    #: Deliveries a second; null is no limit.
    rate_limit: NotRequired["Union[int, None]"]
    filter: NotRequired["Union[WebhookFilter, None]"]
    #: Default: true.
    enabled: NotRequired["Union[bool, None]"]
    #: `task`: the events of one task one after another. Default: `none`.
    ordering: NotRequired["Literal['none', 'task', None]"]
    #: Printable ASCII; `whsec_…` must be base64 of at least 24 bytes. Without one a secret is generated. It is shown once.
    secret: NotRequired["Union[str, None]"]


class WebhookChanges(TypedDict):
    """`WebhookChanges` as the API documents it."""

    url: NotRequired[str]
    #: Exact types, groups (`task.*`) or `*`.
    events: NotRequired["List[Literal['*', 'task.*', 'artifact.*', 'approval.*', 'session.*', 'tool_call.*', 'task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    task_id: NotRequired["Union[str, None]"]
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    description: NotRequired["Union[str, None]"]
    #: Headers that are added to every delivery; not headers that the service or the connection sets.
    headers: NotRequired["Union[Dict[str, str], None]"]
    #: Deliveries a second; null is no limit.
    rate_limit: NotRequired["Union[int, None]"]
    filter: NotRequired["Union[WebhookFilter, None]"]
    enabled: NotRequired[bool]
    ordering: NotRequired["Literal['none', 'task']"]


#: What an event must hold, besides its type. Keys are `type`, `agent`, `task_id`, `session_id` or a path `data.a.b`, each with a condition, and `$and` and `$or` with further filters; all keys must hold. At most 4 KiB, 20 operators and 5 levels.
WebhookFilter = Dict[str, Any]


#: Operators on one member, joined by and.
FilterOperators = TypedDict(
    "FilterOperators",
    {
        "$eq": NotRequired["Union[str, float, bool, None]"],
        "$in": NotRequired["List[Union[str, float, bool, None]]"],
        "$gt": NotRequired["Union[str, float]"],
        "$gte": NotRequired["Union[str, float]"],
        "$lt": NotRequired["Union[str, float]"],
        "$lte": NotRequired["Union[str, float]"],
        "$exists": NotRequired[bool],
        "$not": NotRequired["FilterCondition"],
    },
)


class RotateSecret(TypedDict):
    """`RotateSecret` as the API documents it."""

    secret: NotRequired["Union[str, None]"]
    #: How long the old secret still signs. Default: 24.
    overlap_hours: NotRequired["Union[float, None]"]


class TestWebhook(TypedDict):
    """`TestWebhook` as the API documents it."""

    type: NotRequired["Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed', None]"]


class Delivery(TypedDict):
    """`Delivery` as the API documents it."""

    object: "Literal['delivery']"
    #: TypeID of the delivery.
    id: str
    #: Whose delivery it is.
    webhook_id: str
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    event_id: str
    #: Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added.
    event_type: str
    task_id: "Union[str, None]"
    status: "Literal['pending', 'delivered', 'failed', 'cancelled']"
    #: Keeps counting after a redelivery.
    attempt_count: int
    last_attempt_at: "Union[str, None]"
    last_response_status: "Union[int, None]"
    #: Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    last_error_class: "Union[str, None]"
    next_attempt_at: "Union[str, None]"
    created_at: str
    finished_at: "Union[str, None]"


class ListedDelivery(TypedDict):
    """`ListedDelivery` as the API documents it."""

    object: "Literal['delivery']"
    #: TypeID of the delivery.
    id: str
    #: Whose delivery it is.
    webhook_id: str
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    event_id: str
    #: Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added.
    event_type: str
    task_id: "Union[str, None]"
    status: "Literal['pending', 'delivered', 'failed', 'cancelled']"
    #: Keeps counting after a redelivery.
    attempt_count: int
    last_attempt_at: "Union[str, None]"
    last_response_status: "Union[int, None]"
    #: Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    last_error_class: "Union[str, None]"
    next_attempt_at: "Union[str, None]"
    created_at: str
    finished_at: "Union[str, None]"
    #: With `include=attempts`: the newest 20, newest first.
    attempts: NotRequired["List[ListedDeliveryAttempts]"]
    #: There are more than 20 attempts.
    attempts_truncated: NotRequired["Literal[True]"]


class ListedDeliveryAttempts(TypedDict):
    """`ListedDeliveryAttempts` as the API documents it."""

    attempt: int
    #: A probe of a failing endpoint; it counts towards no schedule.
    probe: bool
    started_at: str
    #: Null after a `dns_error` too.
    dns_ms: "Union[int, None]"
    connect_ms: "Union[int, None]"
    tls_ms: "Union[int, None]"
    first_byte_ms: "Union[int, None]"
    total_ms: "Union[int, None]"
    #: The address that was dialled.
    address: "Union[str, None]"
    status: "Union[int, None]"
    #: `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    error: "Union[str, None]"
    error_detail: "Union[str, None]"
    next_attempt_at: "Union[str, None]"


class DeliveryWithAttempts(TypedDict):
    """`DeliveryWithAttempts` as the API documents it."""

    object: "Literal['delivery']"
    #: TypeID of the delivery.
    id: str
    #: Whose delivery it is.
    webhook_id: str
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    event_id: str
    #: Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added.
    event_type: str
    task_id: "Union[str, None]"
    status: "Literal['pending', 'delivered', 'failed', 'cancelled']"
    #: Keeps counting after a redelivery.
    attempt_count: int
    last_attempt_at: "Union[str, None]"
    last_response_status: "Union[int, None]"
    #: Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    last_error_class: "Union[str, None]"
    next_attempt_at: "Union[str, None]"
    created_at: str
    finished_at: "Union[str, None]"
    attempts: "List[DeliveryWithAttemptsAttempts]"


class DeliveryWithAttemptsAttempts(TypedDict):
    """`DeliveryWithAttemptsAttempts` as the API documents it."""

    attempt: int
    #: A probe of a failing endpoint; it counts towards no schedule.
    probe: bool
    started_at: str
    #: Null after a `dns_error` too.
    dns_ms: "Union[int, None]"
    connect_ms: "Union[int, None]"
    tls_ms: "Union[int, None]"
    first_byte_ms: "Union[int, None]"
    total_ms: "Union[int, None]"
    #: The address that was dialled.
    address: "Union[str, None]"
    status: "Union[int, None]"
    #: `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    error: "Union[str, None]"
    error_detail: "Union[str, None]"
    next_attempt_at: "Union[str, None]"
    #: Names and values of at most 2 KiB together; a header that does not fit is left out.
    response_headers: "Union[Dict[str, str], None]"
    #: At most 16 KiB.
    response_body: "Union[str, None]"


WebhookStats = TypedDict(
    "WebhookStats",
    {
        "object": "Literal['webhook_stats']",
        # Whose figures they are.
        "webhook_id": str,
        "window": "Literal['1h', '24h', '7d']",
        "from": str,
        "to": str,
        "delivered_count": int,
        "failed_count": int,
        "attempt_count": int,
        # Failed attempts by class.
        "error_classes": "Dict[str, int]",
        "latency_ms": "Union[WebhookStatsLatencyMs, None]",
        # Oldest first; the last one is running.
        "buckets": "List[WebhookStatsBuckets]",
    },
)


class WebhookStatsLatencyMs(TypedDict):
    """`WebhookStatsLatencyMs` as the API documents it."""

    p50: float
    p95: float
    p99: float


class WebhookStatsBuckets(TypedDict):
    """`WebhookStatsBuckets` as the API documents it."""

    at: str
    delivered_count: int
    failed_count: int
    attempt_count: int
    latency_p95_ms: "Union[float, None]"


class Redelivery(TypedDict):
    """`Redelivery` as the API documents it."""

    object: "Literal['redelivery']"
    #: TypeID of the redelivery.
    id: str
    status: "Literal['running', 'completed', 'cancelled', 'failed']"
    dry_run: bool
    filter: "RedeliveryFilter"
    #: Deliveries checked so far.
    scanned_count: int
    #: Deliveries made due; in a dry run: that would be made due.
    delivery_count: int
    created_at: str
    updated_at: str
    finished_at: "Union[str, None]"


class RedeliveryFilter(TypedDict):
    """`RedeliveryFilter` as the API documents it."""

    #: Only of this webhook.
    webhook_id: NotRequired[str]
    #: Only of this event.
    event_id: NotRequired[str]
    task_id: NotRequired[str]
    #: An event type, or several separated by commas; also when it was given as `types`.
    type: NotRequired[str]
    #: Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    error_class: NotRequired[str]
    #: Only deliveries whose `created_at` is this time or later (inclusive).
    after: NotRequired[str]
    #: Only deliveries whose `created_at` is before this time (exclusive).
    before: NotRequired[str]
    status: "Literal['pending', 'delivered', 'failed', 'cancelled']"


class RedeliveryRequest(TypedDict):
    """`RedeliveryRequest` as the API documents it."""

    filter: "RedeliveryRequestFilter"
    #: Only counts. Default: false.
    dry_run: NotRequired["Union[bool, None]"]


class RedeliveryRequestFilter(TypedDict):
    """`RedeliveryRequestFilter` as the API documents it."""

    #: Only of this webhook.
    webhook_id: NotRequired[str]
    #: Only of this event.
    event_id: NotRequired[str]
    #: Only of events of this task.
    task_id: NotRequired[str]
    #: Default: `failed`. `pending`: deliveries that are due later.
    status: NotRequired["Literal['pending', 'delivered', 'failed', 'cancelled']"]
    #: An event type, or several separated by commas.
    type: NotRequired[str]
    #: Another name of `type`: give one of them.
    types: NotRequired[str]
    #: Only deliveries whose newest attempt has this error class.
    error_class: NotRequired["Literal['http_3xx', 'http_4xx', 'http_5xx', 'timeout', 'tls_error', 'connection_refused', 'connection_reset', 'dns_error', 'blocked']"]
    #: ISO 8601; only deliveries whose `created_at` is this time or later (inclusive).
    after: NotRequired[str]
    #: ISO 8601; only deliveries whose `created_at` is before this time (exclusive).
    before: NotRequired[str]


class TestAttempt(TypedDict):
    """`TestAttempt` as the API documents it."""

    attempt: int
    #: A probe of a failing endpoint; it counts towards no schedule.
    probe: bool
    started_at: str
    #: Null after a `dns_error` too.
    dns_ms: "Union[int, None]"
    connect_ms: "Union[int, None]"
    tls_ms: "Union[int, None]"
    first_byte_ms: "Union[int, None]"
    total_ms: "Union[int, None]"
    #: The address that was dialled.
    address: "Union[str, None]"
    status: "Union[int, None]"
    #: `dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed. Known values: `http_3xx`, `http_4xx`, `http_5xx`, `timeout`, `tls_error`, `connection_refused`, `connection_reset`, `dns_error`, `blocked`; more may be added.
    error: "Union[str, None]"
    error_detail: "Union[str, None]"
    next_attempt_at: "Union[str, None]"
    #: Names and values of at most 2 KiB together; a header that does not fit is left out.
    response_headers: "Union[Dict[str, str], None]"
    #: At most 16 KiB.
    response_body: "Union[str, None]"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    event_id: str
    #: Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added.
    event_type: str


ReplayRequest = TypedDict(
    "ReplayRequest",
    {
        # ISO 8601; only events that were appended to the log after this time (exclusive), at most 30 days back. Give exactly one of `after` and `from`.
        "after": NotRequired["Union[str, None]"],
        # A position of a stream (the `id` of an event there): exactly the events after it.
        "from": NotRequired["Union[str, None]"],
        # ISO 8601; only events that were appended to the log before this time (exclusive); default: now.
        "before": NotRequired["Union[str, None]"],
        "types": NotRequired["Union[List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']], None]"],
        # Only events whose delivery has this status.
        "status": NotRequired["Literal['delivered', 'failed', 'cancelled', None]"],
        # Only counts. Default: false.
        "dry_run": NotRequired["Union[bool, None]"],
    },
)


Replay = TypedDict(
    "Replay",
    {
        "object": "Literal['replay']",
        # TypeID of the replay.
        "id": str,
        # Whose deliveries are made again.
        "webhook_id": str,
        "status": "Literal['running', 'completed', 'cancelled']",
        "dry_run": bool,
        # Only events that were appended after this time; with `from` a time before all of them.
        "after": str,
        # The position of a stream that it was asked to begin at.
        "from": "Union[str, None]",
        # Whether that position was lost: it begins at the earliest event of the last 30 days.
        "truncated": bool,
        "before": str,
        "types": "Union[List[str], None]",
        "delivery_status": "Literal['delivered', 'failed', 'cancelled', None]",
        # Events checked so far.
        "scanned_count": int,
        # Deliveries made pending; in a dry run: that would be made pending.
        "delivery_count": int,
        "created_at": str,
        "updated_at": str,
        "finished_at": "Union[str, None]",
    },
)


class ApiKey(TypedDict):
    """`ApiKey` as the API documents it."""

    object: "Literal['api_key']"
    #: TypeID of the key.
    id: str
    tenant: str
    scopes: "List[str]"
    quota: "ApiKeyQuota"
    expires_at: "Union[str, None]"
    name: str
    created_at: str
    #: To the minute, at most 60 s old.
    last_used_at: "Union[str, None]"


class ApiKeyQuota(TypedDict):
    """`ApiKeyQuota` as the API documents it."""

    events_per_s: "Union[int, None]"
    bytes_per_s: "Union[int, None]"


class CurrentApiKey(TypedDict):
    """`CurrentApiKey` as the API documents it."""

    object: "Literal['api_key']"
    #: TypeID of the key.
    id: str
    tenant: str
    scopes: "List[str]"
    quota: "CurrentApiKeyQuota"
    expires_at: "Union[str, None]"


class CurrentApiKeyQuota(TypedDict):
    """`CurrentApiKeyQuota` as the API documents it."""

    events_per_s: "Union[int, None]"
    bytes_per_s: "Union[int, None]"


class NewApiKey(TypedDict):
    """`NewApiKey` as the API documents it."""

    object: "Literal['api_key']"
    #: TypeID of the key.
    id: str
    tenant: str
    scopes: "List[str]"
    quota: "NewApiKeyQuota"
    expires_at: "Union[str, None]"
    name: str
    created_at: str
    #: To the minute, at most 60 s old.
    last_used_at: "Union[str, None]"
    #: The key itself; it is shown this once.
    key: str


class NewApiKeyQuota(TypedDict):
    """`NewApiKeyQuota` as the API documents it."""

    events_per_s: "Union[int, None]"
    bytes_per_s: "Union[int, None]"


class NewApiKeyRequest(TypedDict):
    """`NewApiKeyRequest` as the API documents it."""

    name: str
    scopes: "List[Literal['events:write', 'events:read', 'webhooks', 'admin', 'platform']]"
    #: Default: your own. Another one needs `platform`.
    tenant: NotRequired["Union[str, None]"]
    expires_at: NotRequired["Union[str, None]"]
    quota: NotRequired["Union[NewApiKeyRequestQuota, None]"]


class NewApiKeyRequestQuota(TypedDict):
    """`NewApiKeyRequestQuota` as the API documents it."""

    events_per_s: NotRequired["Union[int, None]"]
    bytes_per_s: NotRequired["Union[int, None]"]


class ApiKeyChanges(TypedDict):
    """`ApiKeyChanges` as the API documents it."""

    name: NotRequired[str]
    #: Replaces the whole quota.
    quota: NotRequired["Union[ApiKeyChangesQuota, None]"]
    expires_at: NotRequired["Union[str, None]"]


class ApiKeyChangesQuota(TypedDict):
    """Replaces the whole quota."""

    events_per_s: NotRequired["Union[int, None]"]
    bytes_per_s: NotRequired["Union[int, None]"]


class RotateApiKey(TypedDict):
    """`RotateApiKey` as the API documents it."""

    #: How long the old secret still works. Default: 24.
    overlap_hours: NotRequired["Union[float, None]"]


class Tenant(TypedDict):
    """`Tenant` as the API documents it."""

    object: "Literal['tenant']"
    id: str
    #: `deleted` is shown in `GET /v1/tenants?state=deleted` alone.
    state: "Literal['active', 'suspended', 'deleting', 'deleted']"
    limits: "TenantLimits"
    #: Rows that the deletion has removed so far.
    deleted_count: NotRequired[int]
    #: Null for a tenant that was never put.
    created_at: "Union[str, None]"
    updated_at: "Union[str, None]"


class TenantLimits(TypedDict):
    """`TenantLimits` as the API documents it."""

    events_per_s: "Union[int, None]"
    streams: "Union[int, None]"
    webhooks: "Union[int, None]"
    api_keys: "Union[int, None]"


class TenantRequest(TypedDict):
    """`TenantRequest` as the API documents it."""

    state: NotRequired["Literal['active', 'suspended']"]
    limits: NotRequired["TenantRequestLimits"]


class TenantRequestLimits(TypedDict):
    """`TenantRequestLimits` as the API documents it."""

    #: Over all keys and replicas; null: no limit.
    events_per_s: NotRequired["Union[int, None]"]
    #: Open streams over all gateways; null: the setting.
    streams: NotRequired["Union[int, None]"]
    #: Null: 100.
    webhooks: NotRequired["Union[int, None]"]
    #: Keys that are not revoked; null: 1,000.
    api_keys: NotRequired["Union[int, None]"]


class AuditEntry(TypedDict):
    """`AuditEntry` as the API documents it."""

    object: "Literal['audit_entry']"
    #: TypeID of the entry.
    id: str
    at: str
    #: The key that called.
    key_id: str
    tenant: str
    #: Known values: `api_key.create`, `api_key.update`, `api_key.rotate`, `api_key.revoke`, `webhook.create`, `webhook.update`, `webhook.rotate_secret`, `webhook.delete`, `tenant.put`, `tenant.delete`; more may be added.
    action: str
    #: The id of the changed resource.
    target: str
    request_id: str
    #: The members that changed. For a creation: the members that were set, with `before` null. Of several updates `before` is from the first and `after` from the last.
    changes: "List[AuditEntryChanges]"
    #: Updates that the entry counts: of the same members, by the same key within a minute. `at` and `request_id` are of the first one.
    count: int


class AuditEntryChanges(TypedDict):
    """`AuditEntryChanges` as the API documents it."""

    #: JSON pointer to the innermost member that changed, such as `/quota/events_per_s`.
    member: str
    #: Absent beside `changed`.
    before: NotRequired[Any]
    #: Absent beside `changed`.
    after: NotRequired[Any]
    #: It changed and its values are not kept: secrets, headers and filters.
    changed: NotRequired["Literal[True]"]
    #: A value is longer than 1 KiB: it is the beginning of its text, or of its JSON.
    truncated: NotRequired["Literal[True]"]


class DeadLetter(TypedDict):
    """`DeadLetter` as the API documents it."""

    object: "Literal['dead_letter']"
    #: `<partition>-<offset>` in the topic of dead letters.
    id: str
    #: When it became a dead letter.
    at: str
    #: A stable code; more may be added.
    reason: str
    #: One sentence; it holds no payload.
    detail: str
    #: The `ce_source` of the record.
    source: "Union[str, None]"
    #: The partition of the log that has the record.
    partition: "Union[int, None]"
    #: Its offset there.
    offset: "Union[str, None]"
    #: The key, base64; its first 1,024 bytes.
    key: "Union[str, None]"
    #: The headers as text, at most 50 of them and 256 characters of each.
    headers: "Dict[str, Any]"
    #: The value, base64; its first 1,024 bytes.
    value_preview: "Union[str, None]"


class System(TypedDict):
    """`System` as the API documents it."""

    object: "Literal['system']"
    #: Now, by the clock of Postgres, as the other times are.
    as_of: str
    #: The newest epoch of the log; null before the first.
    log: "Union[SystemLog, None]"
    #: Processes that registered themselves, by service: at most 500 webhook workers, and 500 others. A stopped one is listed for a while.
    processes: "List[SystemProcesses]"
    deliveries: "SystemDeliveries"
    #: The webhooks with the most pending deliveries, largest first.
    backlogs: "List[SystemBacklogs]"


class SystemLogPartitions(TypedDict):
    """`SystemLogPartitions` as the API documents it."""

    partition: int
    #: The first offset that is not projected: queries see what is before it.
    projected_offset: str
    #: When `projected_offset` moved last.
    projected_at: str
    #: When the log took the newest projected events, to the second; null before the first.
    appended_at: "Union[str, None]"
    #: The first offset that webhooks were not matched with; null before the first.
    matched_offset: "Union[str, None]"
    matched_at: "Union[str, None]"


class SystemLog(TypedDict):
    """The newest epoch of the log; null before the first."""

    epoch: int
    topic: str
    opened_at: str
    #: By number.
    partitions: "List[SystemLogPartitions]"


class SystemProcesses(TypedDict):
    """`SystemProcesses` as the API documents it."""

    #: `ingest`, `stream-gateway` or `webhook-worker`; more may be added.
    service: str
    #: Another one after each start.
    id: str
    #: Time of its last heartbeat.
    seen_at: str


class SystemDeliveries(TypedDict):
    """`SystemDeliveries` as the API documents it."""

    #: Deliveries that are neither delivered, failed nor cancelled.
    pending_count: int
    #: Pending deliveries that may be sent now.
    due_count: int
    #: False when the count ended at a limit: there are at least so many.
    complete: bool


class SystemBacklogs(TypedDict):
    """`SystemBacklogs` as the API documents it."""

    #: Whose deliveries wait.
    webhook_id: str
    tenant: str
    #: 10,000 means 10,000 or more.
    pending_count: int
    #: 10,000 means 10,000 or more.
    due_count: int
    #: When the pending delivery of the oldest event was created.
    oldest_pending_at: "Union[str, None]"
    enabled: bool
    #: Known values: `manual`, `gone`, `failures`; more may be added.
    disabled_reason: "Union[str, None]"
    failing_since: "Union[str, None]"


class EventTypeDescription(TypedDict):
    """`EventTypeDescription` as the API documents it."""

    object: "Literal['event_type']"
    #: Known values: `task.created`, `task.progress`, `task.complete`, `task.failed`, `artifact.emitted`, `approval.requested`, `approval.resolved`, `session.message`, `session.closed`, `tool_call.executed`; more may be added.
    type: str
    description: str
    #: JSON Schema of the posted `data`.
    schema: "Dict[str, Any]"
    #: An example of `data`.
    example: "Dict[str, Any]"


class Index(TypedDict):
    """`Index` as the API documents it."""

    object: "Literal['index']"
    name: str
    #: Of the API.
    version: str
    #: Paths of the documents.
    links: "IndexLinks"


class IndexLinks(TypedDict):
    """Paths of the documents."""

    #: The reference.
    docs: str
    #: The guides.
    guides: str
    #: The OpenAPI document.
    openapi: str
    #: The API for language models.
    llms: str
    #: The AsyncAPI document.
    asyncapi: str
    #: All problems.
    problems: str


class ProblemKind(TypedDict):
    """`ProblemKind` as the API documents it."""

    code: str
    title: str
    status: int
    cause: str
    fix: str
    #: A problem with this code.
    example: "Dict[str, Any]"


class Problem(TypedDict):
    """What went wrong (RFC 9457)."""

    #: Path of a page with cause and fix.
    type: str
    title: str
    status: int
    detail: NotRequired[str]
    #: Path of the request.
    instance: str
    #: Stable, snake_case: for programs to distinguish problems.
    code: str
    #: As in `X-Request-Id`; name it when you ask us.
    request_id: str
    errors: NotRequired["List[ProblemErrors]"]
    #: With `redelivery_under_way`: the running redelivery, of dry runs the oldest. Absent when it has ended since.
    redelivery_id: NotRequired[str]
    #: With `log_unavailable`, `log_identity_changed` and `clock_skew`: the result of each entry. Post entries with `retry` again, with these ids.
    events: NotRequired["List[ProblemEvents]"]


class ProblemErrors(TypedDict):
    """`ProblemErrors` as the API documents it."""

    #: JSON pointer (RFC 6901) into the body, or into the entry of a batch.
    pointer: NotRequired[str]
    #: Name of a parameter or header.
    parameter: NotRequired[str]
    #: Entry of the batch.
    index: NotRequired[int]
    #: Stable, snake_case.
    code: str
    #: Completes a sentence that begins with the pointer, parameter or entry.
    message: str


class ProblemEvents(TypedDict):
    """`ProblemEvents` as the API documents it."""

    index: int
    id: NotRequired[str]
    status: str


class EventTaskCreated(TypedDict):
    """A task is dispatched. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['task.created']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataTaskCreated"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventTaskCreated(TypedDict):
    """A task is dispatched. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['task.created']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataTaskCreated"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataTaskCreated(TypedDict):
    """A task is dispatched. Other members are kept."""

    title: NotRequired[str]
    input: NotRequired[Any]
    parent_task_id: NotRequired[str]


class EventTaskProgress(TypedDict):
    """An agent emits a progress update. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['task.progress']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataTaskProgress"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventTaskProgress(TypedDict):
    """An agent emits a progress update. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['task.progress']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataTaskProgress"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataTaskProgress(TypedDict):
    """An agent emits a progress update. Other members are kept."""

    message: str
    progress: NotRequired[float]


class EventTaskComplete(TypedDict):
    """An agent completes a task. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['task.complete']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataTaskComplete"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventTaskComplete(TypedDict):
    """An agent completes a task. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['task.complete']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataTaskComplete"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataTaskComplete(TypedDict):
    """An agent completes a task. Other members are kept."""

    artifact_count: NotRequired[int]
    result: NotRequired[Any]


class EventTaskFailed(TypedDict):
    """An agent reports failure. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['task.failed']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataTaskFailed"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventTaskFailed(TypedDict):
    """An agent reports failure. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['task.failed']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataTaskFailed"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataTaskFailed(TypedDict):
    """An agent reports failure. Other members are kept."""

    error: "DataTaskFailedError"
    retryable: NotRequired[bool]


class DataTaskFailedError(TypedDict):
    """`DataTaskFailedError` as the API documents it."""

    message: str
    code: NotRequired[str]


class EventArtifactEmitted(TypedDict):
    """An agent emits an artifact. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['artifact.emitted']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataArtifactEmitted"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventArtifactEmitted(TypedDict):
    """An agent emits an artifact. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['artifact.emitted']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataArtifactEmitted"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataArtifactEmitted(TypedDict):
    """An agent emits an artifact. Other members are kept."""

    artifact_id: str
    type: str
    uri: NotRequired[str]
    media_type: NotRequired[str]
    size_bytes: NotRequired[int]


class EventApprovalRequested(TypedDict):
    """An agent requests human approval. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['approval.requested']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataApprovalRequested"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventApprovalRequested(TypedDict):
    """An agent requests human approval. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['approval.requested']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataApprovalRequested"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataApprovalRequested(TypedDict):
    """An agent requests human approval. Other members are kept."""

    approval_id: str
    action: NotRequired[str]
    reason: NotRequired[str]
    expires_at: NotRequired[str]


class EventApprovalResolved(TypedDict):
    """A human approves or denies. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['approval.resolved']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataApprovalResolved"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventApprovalResolved(TypedDict):
    """A human approves or denies. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['approval.resolved']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataApprovalResolved"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataApprovalResolved(TypedDict):
    """A human approves or denies. Other members are kept."""

    approval_id: str
    decision: "Literal['approved', 'denied']"
    resolved_by: NotRequired[str]
    comment: NotRequired[str]


class EventSessionMessage(TypedDict):
    """A message is added to a session. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['session.message']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataSessionMessage"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventSessionMessage(TypedDict):
    """A message is added to a session. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['session.message']"
    task_id: NotRequired["Union[str, None]"]
    session_id: str
    agent: NotRequired["Union[str, None]"]
    data: "DataSessionMessage"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataSessionMessage(TypedDict):
    """A message is added to a session. Other members are kept."""

    role: "Literal['user', 'assistant', 'system', 'tool']"
    content: "Union[str, List[Any]]"
    message_id: NotRequired[str]


class EventSessionClosed(TypedDict):
    """A session ends. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['session.closed']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataSessionClosed"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventSessionClosed(TypedDict):
    """A session ends. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['session.closed']"
    task_id: NotRequired["Union[str, None]"]
    session_id: str
    agent: NotRequired["Union[str, None]"]
    data: "DataSessionClosed"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataSessionClosed(TypedDict):
    """A session ends. Other members are kept."""

    reason: NotRequired[str]


class EventToolCallExecuted(TypedDict):
    """The tool proxy executes a tool call. Events never change."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    type: "Literal['tool_call.executed']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    data: "DataToolCallExecuted"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventToolCallExecuted(TypedDict):
    """The tool proxy executes a tool call. `data` has at most 256 KiB and 64 levels."""

    type: "Literal['tool_call.executed']"
    task_id: str
    session_id: NotRequired["Union[str, None]"]
    agent: NotRequired["Union[str, None]"]
    data: "DataToolCallExecuted"
    #: An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.
    id: NotRequired["Union[str, None]"]
    #: When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.
    created_at: NotRequired["Union[str, None]"]
    #: With `created_at`: the id is derived from both, so a repeated post is the same event.
    idempotency_key: NotRequired["Union[str, None]"]
    #: Allowed and ignored, so that an event that was read can be posted unchanged.
    object: NotRequired["Literal['event', None]"]


class DataToolCallExecuted(TypedDict):
    """The tool proxy executes a tool call. Other members are kept."""

    tool: str
    tool_call_id: NotRequired[str]
    status: NotRequired["Literal['ok', 'error']"]
    duration_ms: NotRequired[int]
    arguments: NotRequired[Any]
    result: NotRequired[Any]
    error: NotRequired[Any]


class EventOther(TypedDict):
    """An event of a type that is added later. Its members are those of every event."""

    object: "Literal['event']"
    #: TypeID of a UUIDv7; its millisecond is `created_at`.
    id: str
    #: At run time any other string; `is_own_event` of `ariftly` finds one of your own.
    type: "Literal['a type that this version of the SDK does not know']"
    created_at: str
    task_id: "Union[str, None]"
    agent: "Union[str, None]"
    session_id: "Union[str, None]"
    #: The posted payload: the caller's bytes, with `task_id` (else `session_id`) as first member.
    data: "Dict[str, Any]"
    log: NotRequired["EventLog"]
    #: With `include=deliveries`: the newest 100 by id.
    deliveries: NotRequired["List[EventDelivery]"]
    #: There are more than 100 deliveries.
    deliveries_truncated: NotRequired["Literal[True]"]


class NewEventOther(TypedDict):
    """An event of a type of your own, `x.…`, or with members of `data` that the catalogue does not name."""

    type: str
    id: NotRequired[str]
    created_at: NotRequired[str]
    task_id: NotRequired["str | None"]
    session_id: NotRequired["str | None"]
    agent: NotRequired["str | None"]
    data: "Dict[str, Any]"


class ListEventsQuery(TypedDict):
    """Query parameters of `listEvents`."""

    #: Only events of this task.
    task_id: NotRequired[str]
    #: Only events from this agent.
    agent: NotRequired[str]
    #: Only events of this session.
    session_id: NotRequired[str]
    #: Only events of this type, or of these, separated by commas.
    type: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Another name of `type`: give one of them.
    types: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Only events whose `created_at` is after this time (exclusive).
    after: NotRequired[str]
    #: Only events whose `created_at` is before this time (exclusive).
    before: NotRequired[str]
    #: `asc` for oldest first.
    order: NotRequired["Literal['desc', 'asc']"]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]
    #: `log`: when the event was appended to the log, and when lists could show it. `deliveries`: its deliveries to webhooks; needs the scope `webhooks` too, and `limit` ≤ 100.
    include: NotRequired["List[Literal['log', 'deliveries']]"]


class StreamEventsQuery(TypedDict):
    """Query parameters of `streamEvents`."""

    #: Only events of this task.
    task_id: NotRequired[str]
    #: Only events from this agent.
    agent: NotRequired[str]
    #: Only events of this session.
    session_id: NotRequired[str]
    #: Only these types, separated by commas.
    types: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Sends the whole event object as data.
    envelope: NotRequired[bool]
    #: Starts with events that were appended to the log at this time or later (inclusive); up to a second of earlier events may be sent too. A position takes precedence.
    after: NotRequired[str]
    #: A position, for clients that cannot send the header.
    last_event_id: NotRequired[str]
    #: A stream token, in place of a key; it holds the filter.
    token: NotRequired[str]


class StreamEventsByFormQuery(TypedDict):
    """Query parameters of `streamEventsByForm`."""

    #: Only events of this task.
    task_id: NotRequired[str]
    #: Only events from this agent.
    agent: NotRequired[str]
    #: Only events of this session.
    session_id: NotRequired[str]
    #: Only these types, separated by commas.
    types: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Sends the whole event object as data.
    envelope: NotRequired[bool]
    #: Starts with events that were appended to the log at this time or later (inclusive); up to a second of earlier events may be sent too. A position takes precedence.
    after: NotRequired[str]
    #: A position, for clients that cannot send the header.
    last_event_id: NotRequired[str]
    #: A stream token, in place of a key; it holds the filter.
    token: NotRequired[str]


class GetEventQuery(TypedDict):
    """Query parameters of `getEvent`."""

    #: `log`: when the event was appended to the log, and when lists could show it. `deliveries`: its deliveries to webhooks; needs the scope `webhooks` too, and `limit` ≤ 100.
    include: NotRequired["List[Literal['log', 'deliveries']]"]


class ListTasksQuery(TypedDict):
    """Query parameters of `listTasks`."""

    #: Only tasks whose `task.created` is from this agent.
    agent: NotRequired[str]
    #: Only tasks that were created after this time (exclusive).
    after: NotRequired[str]
    #: Only tasks that were created before this time (exclusive).
    before: NotRequired[str]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListWebhooksQuery(TypedDict):
    """Query parameters of `listWebhooks`."""

    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class GetWebhookStatsQuery(TypedDict):
    """Query parameters of `getWebhookStats`."""

    #: How far back: 60, 96 or 168 buckets.
    window: NotRequired["Literal['1h', '24h', '7d']"]


class ListReplaysQuery(TypedDict):
    """Query parameters of `listReplays`."""

    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListDeliveriesQuery(TypedDict):
    """Query parameters of `listDeliveries`."""

    #: Only of this event.
    event_id: NotRequired[str]
    #: Only of events of this task.
    task_id: NotRequired[str]
    #: Only deliveries with this status.
    status: NotRequired["Literal['pending', 'delivered', 'failed', 'cancelled']"]
    #: Only events of these types, separated by commas.
    type: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Another name of `type`: give one of them.
    types: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Only deliveries whose newest attempt failed with this class.
    error_class: NotRequired["Literal['http_3xx', 'http_4xx', 'http_5xx', 'timeout', 'tls_error', 'connection_refused', 'connection_reset', 'dns_error', 'blocked']"]
    #: Only deliveries whose `created_at` is this time or later (inclusive).
    after: NotRequired[str]
    #: Only deliveries whose `created_at` is before this time (exclusive).
    before: NotRequired[str]
    #: `attempts`: the newest 20 attempts of each, newest first, without headers and bodies of answers; needs `limit` ≤ 100.
    include: NotRequired["List[Literal['attempts']]"]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class FindDeliveriesQuery(TypedDict):
    """Query parameters of `findDeliveries`."""

    #: Only of this webhook.
    webhook_id: NotRequired[str]
    #: Only of this event.
    event_id: NotRequired[str]
    #: Only of events of this task.
    task_id: NotRequired[str]
    #: Only deliveries with this status.
    status: NotRequired["Literal['pending', 'delivered', 'failed', 'cancelled']"]
    #: Only events of these types, separated by commas.
    type: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Another name of `type`: give one of them.
    types: NotRequired["List[Literal['task.created', 'task.progress', 'task.complete', 'task.failed', 'artifact.emitted', 'approval.requested', 'approval.resolved', 'session.message', 'session.closed', 'tool_call.executed']]"]
    #: Only deliveries whose newest attempt failed with this class.
    error_class: NotRequired["Literal['http_3xx', 'http_4xx', 'http_5xx', 'timeout', 'tls_error', 'connection_refused', 'connection_reset', 'dns_error', 'blocked']"]
    #: Only deliveries whose `created_at` is this time or later (inclusive).
    after: NotRequired[str]
    #: Only deliveries whose `created_at` is before this time (exclusive).
    before: NotRequired[str]
    #: `attempts`: the newest 20 attempts of each, newest first, without headers and bodies of answers; needs `limit` ≤ 100.
    include: NotRequired["List[Literal['attempts']]"]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListRedeliveriesQuery(TypedDict):
    """Query parameters of `listRedeliveries`."""

    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListApiKeysQuery(TypedDict):
    """Query parameters of `listApiKeys`."""

    #: Whose keys; default: your own.
    tenant: NotRequired[str]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListTenantsQuery(TypedDict):
    """Query parameters of `listTenants`."""

    #: Only this state; default: all but `deleted`.
    state: NotRequired["Literal['active', 'suspended', 'deleting', 'deleted']"]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListAuditEntriesQuery(TypedDict):
    """Query parameters of `listAuditEntries`."""

    #: Whose; default: your own.
    tenant: NotRequired[str]
    #: Only this action.
    action: NotRequired["Literal['api_key.create', 'api_key.update', 'api_key.rotate', 'api_key.revoke', 'webhook.create', 'webhook.update', 'webhook.rotate_secret', 'webhook.delete', 'tenant.put', 'tenant.delete']"]
    #: Only entries whose `at` is this time or later (inclusive).
    after: NotRequired[str]
    #: Only entries whose `at` is before this time (exclusive).
    before: NotRequired[str]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


class ListDeadLettersQuery(TypedDict):
    """Query parameters of `listDeadLetters`."""

    #: Only this reason.
    reason: NotRequired["Literal['missing_attribute', 'bad_attribute', 'unknown_type', 'key_mismatch', 'wrong_partition', 'id_out_of_window', 'value_missing', 'value_too_large', 'value_not_utf8', 'value_not_one_line', 'value_not_json_object', 'value_too_deep', 'value_bad_string', 'value_duplicate_member', 'value_first_member', 'not_storable']"]
    #: Only dead letters whose `at` is this time or later (inclusive).
    after: NotRequired[str]
    #: Only dead letters whose `at` is before this time (exclusive).
    before: NotRequired[str]
    #: Largest number of entries of the page.
    limit: NotRequired[int]
    #: The `next_cursor` of the previous page, with all other parameters unchanged.
    cursor: NotRequired[str]


#: An event; `type` selects the alternative. More types may be added: the last alternative is an event of any type. Events never change; members added by `include` do.
Event = Union[EventTaskCreated, EventTaskProgress, EventTaskComplete, EventTaskFailed, EventArtifactEmitted, EventApprovalRequested, EventApprovalResolved, EventSessionMessage, EventSessionClosed, EventToolCallExecuted, EventOther]


NewEvent = Union[NewEventTaskCreated, NewEventTaskProgress, NewEventTaskComplete, NewEventTaskFailed, NewEventArtifactEmitted, NewEventApprovalRequested, NewEventApprovalResolved, NewEventSessionMessage, NewEventSessionClosed, NewEventToolCallExecuted, NewEventOther]


#: What a member must be. A bare value is short for `{"$eq": value}`.
FilterCondition = Union[str, float, bool, None, FilterOperators]


#: One event, or several.
NewEvents = Union[NewEvent, List[NewEvent]]


__all__ = [
    "AcceptedEntry",
    "ApiKey",
    "ApiKeyChanges",
    "ApiKeyChangesQuota",
    "ApiKeyQuota",
    "AuditEntry",
    "AuditEntryChanges",
    "CurrentApiKey",
    "CurrentApiKeyQuota",
    "DataApprovalRequested",
    "DataApprovalResolved",
    "DataArtifactEmitted",
    "DataSessionClosed",
    "DataSessionMessage",
    "DataTaskComplete",
    "DataTaskCreated",
    "DataTaskFailed",
    "DataTaskFailedError",
    "DataTaskProgress",
    "DataToolCallExecuted",
    "DeadLetter",
    "Delivery",
    "DeliveryWithAttempts",
    "DeliveryWithAttemptsAttempts",
    "Event",
    "EventApprovalRequested",
    "EventApprovalResolved",
    "EventArtifactEmitted",
    "EventDelivery",
    "EventLog",
    "EventOther",
    "EventSessionClosed",
    "EventSessionMessage",
    "EventTaskComplete",
    "EventTaskCreated",
    "EventTaskFailed",
    "EventTaskProgress",
    "EventToolCallExecuted",
    "EventTypeDescription",
    "FilterCondition",
    "FilterOperators",
    "FindDeliveriesQuery",
    "GetEventQuery",
    "GetWebhookStatsQuery",
    "Index",
    "IndexLinks",
    "IngestResults",
    "ListApiKeysQuery",
    "ListAuditEntriesQuery",
    "ListDeadLettersQuery",
    "ListDeliveriesQuery",
    "ListEventsQuery",
    "ListRedeliveriesQuery",
    "ListReplaysQuery",
    "ListTasksQuery",
    "ListTenantsQuery",
    "ListWebhooksQuery",
    "ListedDelivery",
    "ListedDeliveryAttempts",
    "NewApiKey",
    "NewApiKeyQuota",
    "NewApiKeyRequest",
    "NewApiKeyRequestQuota",
    "NewCloudEvent",
    "NewEvent",
    "NewEventApprovalRequested",
    "NewEventApprovalResolved",
    "NewEventArtifactEmitted",
    "NewEventOther",
    "NewEventSessionClosed",
    "NewEventSessionMessage",
    "NewEventTaskComplete",
    "NewEventTaskCreated",
    "NewEventTaskFailed",
    "NewEventTaskProgress",
    "NewEventToolCallExecuted",
    "NewEvents",
    "NewWebhook",
    "Problem",
    "ProblemErrors",
    "ProblemEvents",
    "ProblemKind",
    "Redelivery",
    "RedeliveryFilter",
    "RedeliveryRequest",
    "RedeliveryRequestFilter",
    "RefusedEntry",
    "RefusedEntryError",
    "Replay",
    "ReplayRequest",
    "RotateApiKey",
    "RotateSecret",
    "StreamEventsByFormQuery",
    "StreamEventsQuery",
    "StreamToken",
    "StreamTokenRequest",
    "System",
    "SystemBacklogs",
    "SystemDeliveries",
    "SystemLog",
    "SystemLogPartitions",
    "SystemProcesses",
    "Task",
    "Tenant",
    "TenantLimits",
    "TenantRequest",
    "TenantRequestLimits",
    "TestAttempt",
    "TestWebhook",
    "Webhook",
    "WebhookChanges",
    "WebhookFilter",
    "WebhookStats",
    "WebhookStatsBuckets",
    "WebhookStatsLatencyMs",
    "WebhookWithSecret",
]
