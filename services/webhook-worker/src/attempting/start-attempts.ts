import { typeIdToUuid, uuidToTypeId, type EventType } from '@ariftly/events'
import type { ShownEvent } from '@ariftly/store/events'
import { plainArray, prepared, type Queryable } from '@ariftly/store'
import { isServed } from '@ariftly/store/tenants'
import { isStill, NOT_STARTED } from '@ariftly/store/deliveries'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'

/** An attempt that is ours to make, with all that it takes. */
export interface StartedAttempt extends AttemptRef {
  readonly webhookId: string
  readonly tenant: string
  /** Attempts made before that count towards the schedule. */
  readonly attemptCount: number
  readonly probe: boolean
  /** Neither a replay nor a redelivery has made it pending. */
  readonly first: boolean
  readonly traceparent: string | null
  /** False when the webhook was disabled, or its tenant suspended, after this was queued. */
  readonly enabled: boolean
  readonly deleted: boolean
  /** Moves with the URL and with each enabling. */
  readonly endpointVersion: number
  readonly url: string
  /** Sealed, aad `webhook:<tenant>:<whk id>`. */
  readonly secret: Buffer
  /** Sealed; null unless a rotation's overlap is running. */
  readonly previousSecret: Buffer | null
  /** Sealed JSON object; null when there are none. */
  readonly headers: Buffer | null
  /** Null when the event is older than the history. */
  readonly event: ShownEvent | null
}

interface Columns {
  id: string
  attempt: number
  webhook_id: string
  tenant_id: string
  event_id: string
  attempt_count: number
  probe: boolean
  first: boolean
  traceparent: string | null
  enabled: boolean
  deleted: boolean
  endpoint_version: number
  url: string
  secret: Buffer
  previous_secret: Buffer | null
  headers: Buffer | null
  type: EventType | null
  task_id: string | null
  agent: string | null
  session_id: string | null
  data: string | null
}

/**
 * The guarded start of attempts: of these jobs, those whose delivery is still `queued` for exactly this attempt, which has not
 * begun, are marked as begun under a fresh lease and returned; all others are stale and must be dropped. By primary keys of
 * `deliveries`, `webhooks` and `events`: `= ANY` beside the join is a planner hint for that. No column that an index reads is changed.
 */
export async function startAttempts(
  db: Queryable,
  o: {
    readonly refs: readonly AttemptRef[]
    readonly leaseMs: number
    /** UUID in the worker's heartbeats. */
    readonly workerId: string | null
  },
): Promise<readonly StartedAttempt[]> {
  const { rows } = await db.query<Columns>(
    prepared(
      `WITH started AS (
       UPDATE deliveries d
          SET started_attempt = d.attempt, lease_until = now() + $3 * interval '1 ms', worker_id = $4::uuid
         FROM unnest($1::uuid[], $2::int[]) AS j (id, attempt)
        WHERE d.id = j.id AND d.id = ANY ($1::uuid[]) AND d.attempt = j.attempt AND ${isStill(['queued'])}
          AND ${NOT_STARTED}
       RETURNING d.id, d.attempt, d.webhook_id, d.tenant_id, d.event_id, d.attempt_count, d.probe,
                 d.replay_id IS NULL AND NOT d.redelivered AS first, d.traceparent)
     SELECT s.*, w.enabled AND ${isServed('w.tenant_id')} AS enabled, w.deleted_at IS NOT NULL AS deleted, w.endpoint_version, w.url,
            w.secret,
            CASE WHEN w.previous_secret_until > now() THEN w.previous_secret END AS previous_secret, w.headers,
            e.type, e.task_id, e.agent, e.session_id, e.data
       FROM started s
       JOIN webhooks w ON w.id = s.webhook_id
       LEFT JOIN LATERAL (
              SELECT type, task_id, agent, session_id, data
                FROM events
               WHERE tenant_id = s.tenant_id AND id = s.event_id
               LIMIT 1) e ON true`,
      [
        plainArray(o.refs.map((ref) => typeIdToUuid('dlv', ref.deliveryId))),
        plainArray(o.refs.map((ref) => ref.attempt)),
        o.leaseMs,
        o.workerId,
      ],
    ),
  )
  return rows.map(toStartedAttempt)
}

function toStartedAttempt(row: Columns): StartedAttempt {
  return {
    deliveryId: uuidToTypeId('dlv', row.id),
    attempt: row.attempt,
    webhookId: uuidToTypeId('whk', row.webhook_id),
    tenant: row.tenant_id,
    attemptCount: row.attempt_count,
    probe: row.probe,
    first: row.first,
    traceparent: row.traceparent,
    enabled: row.enabled,
    deleted: row.deleted,
    endpointVersion: row.endpoint_version,
    url: row.url,
    secret: row.secret,
    previousSecret: row.previous_secret,
    headers: row.headers,
    event:
      row.type === null || row.data === null
        ? null
        : {
            id: uuidToTypeId('evt', row.event_id),
            type: row.type,
            taskId: row.task_id,
            agent: row.agent,
            sessionId: row.session_id,
            data: Buffer.from(row.data),
          },
  }
}

/**
 * Undoes starts of a worker whose answer it has not seen: it makes none of these attempts, so that they may be started again.
 * Whether they were started is checked row by row and not in the condition, so that the statement waits for a start that is
 * still under way. By primary key: `= ANY` beside the join is a planner hint for that.
 */
export async function withdrawStarts(
  db: Queryable,
  o: { readonly refs: readonly AttemptRef[]; readonly workerId: string },
): Promise<void> {
  await db.query(
    prepared(
      `UPDATE deliveries d
          SET started_attempt = CASE WHEN d.started_attempt = d.attempt AND d.worker_id = $3 THEN d.attempt - 1
                                     ELSE d.started_attempt END
         FROM unnest($1::uuid[], $2::int[]) AS j (id, attempt)
        WHERE d.id = j.id AND d.id = ANY ($1::uuid[]) AND d.attempt = j.attempt AND ${isStill(['queued'])}`,
      [
        plainArray(o.refs.map((ref) => typeIdToUuid('dlv', ref.deliveryId))),
        plainArray(o.refs.map((ref) => ref.attempt)),
        o.workerId,
      ],
    ),
  )
}
