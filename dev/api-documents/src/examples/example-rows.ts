import type { AttemptRow, Backlogs, LogProgress, ProcessRow, TenantRow } from '@ariftly-services/api/answers'
import { ERROR_CLASSES } from '@ariftly/egress'
import type { ApiKeyRow } from '@ariftly/store/api-keys'
import type { AuditEntry } from '@ariftly/store/audit'
import type { DeliveryRow } from '@ariftly/store/deliveries'
import type { LoggedEvent } from '@ariftly/store/events'
import type { RedeliveryRow } from '@ariftly/store/redeliveries'
import type { ReplayRow } from '@ariftly/store/replays'
import type { WebhookRow } from '@ariftly/store/webhooks'
import { latencyBucket, type Figures } from '@ariftly/store/stats'

/** The millisecond of {@link EVENT_ID}. */
export const EXAMPLE_MS = Date.UTC(2026, 10, 25, 8, 45, 37, 123)
const DAY_MS = 86_400_000

const UUID = '01m88y3fz3eeksq399rkr6wnx3'
/** The id of the event of the other rows. */
export const EVENT_ID = `evt_${UUID}`
/** The id of the webhook of the other rows. */
export const WEBHOOK_ID = `whk_${UUID}`
const TASK_ID = 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'
const TENANT = 'acme'

const TASK_CREATED = {
  id: 'evt_01m88y3cm5f86r2xh9v4tq0w7e',
  type: 'task.created',
  taskId: TASK_ID,
  sessionId: null,
  agent: 'analyzer',
  data: Buffer.from(`{"task_id":"${TASK_ID}","title":"Analyze the report"}`),
  partition: 3,
  offset: 1198,
  appendedAtMs: EXAMPLE_MS - 2_410,
  projectedAtMs: EXAMPLE_MS - 2_380,
} as const satisfies LoggedEvent

const TASK_PROGRESS = {
  id: EVENT_ID,
  type: 'task.progress',
  taskId: TASK_ID,
  sessionId: null,
  agent: 'analyzer',
  data: Buffer.from(`{"task_id":"${TASK_ID}","message":"Analyzing document","progress":0.3}`),
  partition: 3,
  offset: 1204,
  appendedAtMs: EXAMPLE_MS + 4,
  projectedAtMs: EXAMPLE_MS + 31,
} as const satisfies LoggedEvent

/** Rows of one event and of what became of it, as the store gives them: the reference shows them as the API renders them. */
export const exampleRows = {
  event: TASK_PROGRESS,

  task: { created: TASK_CREATED, last: TASK_PROGRESS },

  webhook: {
    id: WEBHOOK_ID,
    tenant: TENANT,
    url: 'https://your-server.com/ariftly-webhook',
    events: ['task.*'],
    taskId: null,
    sessionId: null,
    agent: 'analyzer',
    description: 'Feeds the dashboard',
    enabled: true,
    disabledReason: null,
    headerNames: ['X-Environment'],
    headers: null,
    rateLimit: 50,
    ordering: 'task',
    filter: '{"data.progress":{"$gte":0.25}}',
    pendingCount: 0,
    oldestPendingAtMs: null,
    failingSinceMs: null,
    lastSuccessAtMs: EXAMPLE_MS + 180,
    createdAtMs: EXAMPLE_MS - DAY_MS,
    updatedAtMs: EXAMPLE_MS - DAY_MS,
  } satisfies WebhookRow,

  delivery: {
    id: `dlv_${UUID}`,
    webhookId: WEBHOOK_ID,
    eventId: EVENT_ID,
    eventType: 'task.progress',
    status: 'delivered',
    taskId: TASK_ID,
    attemptCount: 1,
    lastAttemptAtMs: EXAMPLE_MS + 52,
    lastResponseStatus: 200,
    lastErrorClass: null,
    nextAttemptAtMs: null,
    createdAtMs: EXAMPLE_MS + 40,
    finishedAtMs: EXAMPLE_MS + 180,
  } satisfies DeliveryRow,

  attempt: {
    attempt: 1,
    probe: false,
    startedAtMs: EXAMPLE_MS + 52,
    dnsMs: 3,
    connectMs: 21,
    tlsMs: 38,
    firstByteMs: 126,
    totalMs: 128,
    address: '203.0.113.7',
    status: 200,
    errorClass: null,
    errorDetail: null,
    responseHeaders: '{"content-type":"text/plain"}',
    responseBody: Buffer.from('ok'),
    nextAttemptAtMs: null,
  } satisfies AttemptRow,

  figures: { delivered: 118, failed: 0, attempts: 121, errors: errorsOf('timeout', 3), latencies: latenciesOf() },

  redelivery: {
    id: `rdl_${UUID}`,
    tenant: TENANT,
    filter: JSON.stringify({ status: 'failed', webhook_id: WEBHOOK_ID, error_class: 'timeout' }),
    dryRun: false,
    state: 'running',
    scannedCount: 2000,
    deliveryCount: 1871,
    createdAtMs: EXAMPLE_MS,
    updatedAtMs: EXAMPLE_MS + 900,
    finishedAtMs: null,
  } satisfies RedeliveryRow,

  replay: {
    id: `rpl_${UUID}`,
    tenant: TENANT,
    webhookId: WEBHOOK_ID,
    afterMs: EXAMPLE_MS - DAY_MS,
    beforeMs: EXAMPLE_MS,
    types: ['task.complete'],
    deliveryStatus: null,
    dryRun: false,
    from: null,
    truncated: false,
    state: 'completed',
    scannedCount: 5210,
    deliveryCount: 412,
    createdAtMs: EXAMPLE_MS,
    updatedAtMs: EXAMPLE_MS + 2600,
    finishedAtMs: EXAMPLE_MS + 2600,
  } satisfies ReplayRow,

  apiKey: {
    id: `key_${UUID}`,
    tenant: TENANT,
    name: 'agents of team A',
    scopes: ['events:write', 'events:read'],
    quota: { eventsPerS: 500, bytesPerS: 1_000_000 },
    expiresAtMs: null,
    createdAtMs: EXAMPLE_MS - DAY_MS,
    lastUsedAtMs: EXAMPLE_MS - (EXAMPLE_MS % 60_000),
    revokedAtMs: null,
  } satisfies ApiKeyRow,

  tenant: {
    id: TENANT,
    state: 'active',
    limits: { eventsPerS: 5000, streams: 200, webhooks: null, apiKeys: null },
    deletedCount: 0,
    createdAtMs: EXAMPLE_MS - DAY_MS,
    updatedAtMs: EXAMPLE_MS,
  } satisfies TenantRow,

  auditEntry: {
    id: `aud_${UUID}`,
    atMs: EXAMPLE_MS,
    keyId: `key_${UUID}`,
    tenant: TENANT,
    action: 'webhook.update',
    target: WEBHOOK_ID,
    requestId: 'req_0f8e2c6ad9c14b0c8a4d0a4f7e3b9d15',
    count: 1,
    changes: JSON.stringify([
      { member: '/rate_limit', before: null, after: 50 },
      { member: '/filter', changed: true },
    ]),
  } satisfies AuditEntry,

  system: {
    log: {
      epoch: 1,
      topic: 'ariftly.events.v1',
      openedAtMs: EXAMPLE_MS - DAY_MS,
      partitions: [
        {
          partition: 3,
          nextOffset: 1205,
          projectedAtMs: EXAMPLE_MS + 31,
          appendedAtMs: EXAMPLE_MS + 4,
          matchedOffset: 1205,
          matchedAtMs: EXAMPLE_MS + 40,
        },
      ],
    } satisfies LogProgress,
    processes: [
      { service: 'webhook-worker', id: '5f0c8a0e-6f0b-4b53-9d4e-2f6b7c1a9e10', seenAtMs: EXAMPLE_MS - 700 },
    ] satisfies readonly ProcessRow[],
    backlogs: {
      asOfMs: EXAMPLE_MS,
      pendingCount: 42,
      dueCount: 3,
      isComplete: true,
      largest: [
        {
          webhookId: WEBHOOK_ID,
          tenant: TENANT,
          pendingCount: 42,
          dueCount: 3,
          oldestPendingAtMs: EXAMPLE_MS - 90_000,
          enabled: true,
          disabledReason: null,
          failingSinceMs: EXAMPLE_MS - 60_000,
        },
      ],
    } satisfies Backlogs,
  },
} as const

/** Counts of failed attempts by index in {@link ERROR_CLASSES}. */
function errorsOf(name: (typeof ERROR_CLASSES)[number], count: number): Figures['errors'] {
  return ERROR_CLASSES.map((each) => (each === name ? count : 0))
}

function latenciesOf(): Figures['latencies'] {
  const counts = Array.from({ length: latencyBucket(400) + 1 }, () => 0)
  for (const [ms, count] of [
    [80, 70],
    [140, 40],
    [400, 8],
  ] as const)
    counts[latencyBucket(ms)] = count
  return counts
}
