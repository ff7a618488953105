import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { plainArray, prepared, type Queryable } from '@ariftly/store'
import { isNotDeleted } from '@ariftly/store/tenants'
import { TRANSITIONS } from '@ariftly/store/deliveries'
import { tallyEndpoints, type AttemptOutcome } from './attempt-outcome.ts'

/** When an endpoint counts as failing, and how it is probed then. */
export interface FailingRule {
  /** Failures in a row (10). */
  readonly after: number
  /** First wait for a probe (10 s); doubles with each failed one. */
  readonly probeMs: number
  /** Longest wait (5 min). */
  readonly probeMsMax: number
  /** Nothing but failures for this long (5 days): to be disabled. */
  readonly disableMs: number
}

/** The changes that recording has made. */
export interface RecordedOutcomes {
  /** Deliveries that were still ours; the others' leases had ended, and only their attempts were kept. */
  readonly applied: number
  /** Deliveries that have failed for good. */
  readonly failed: ReadonlySet<string>
  /** Deliveries that were not ours any more. */
  readonly stale: ReadonlySet<string>
  /** Endpoints that have seen nothing but failures for too long. */
  readonly toDisable: readonly TriedEndpoint[]
}

/** A webhook with the version of its endpoint that was tried. */
export interface TriedEndpoint {
  readonly webhookId: string
  readonly endpointVersion: number
}

/**
 * Writes the outcomes of a batch of attempts in one statement: each attempt's row, the delivery's next step (guarded by
 * the attempt's number, and by being neither ended nor pending again), and what the attempts say about the endpoint, whose rows
 * are locked in order. What the next step is has been decided by the caller for an open and for a failing endpoint; the statement takes the one that
 * fits. An endpoint with nothing but quick successes is locked and written once a second at most, as schedulers need its row.
 * Of a deleted tenant no attempt is kept. By primary keys: `= ANY` beside the joins are planner hints for that.
 */
export async function recordOutcomes(
  db: Queryable,
  o: { readonly outcomes: readonly AttemptOutcome[]; readonly failing: FailingRule },
): Promise<RecordedOutcomes> {
  const { outcomes, failing } = o
  if (outcomes.length === 0) return { applied: 0, failed: new Set(), stale: new Set(), toDisable: [] }
  const tallies = tallyEndpoints(outcomes)
  const { rows } = await db.query<Columns>(
    prepared(SQL, [
      JSON.stringify(outcomes.map(toRow)),
      JSON.stringify(
        tallies.map(({ webhookId, ...tally }) => ({ webhook_id: typeIdToUuid('whk', webhookId), ...tally })),
      ),
      plainArray(outcomes.map((outcome) => typeIdToUuid('dlv', outcome.deliveryId))),
      plainArray(tallies.map((tally) => typeIdToUuid('whk', tally.webhookId))),
      outcomes.map((outcome) => outcome.tenant),
      failing.after,
      failing.probeMs,
      failing.probeMsMax,
      failing.disableMs,
    ]),
  )
  const row = rows[0]
  const versions = row?.disable_versions ?? []
  const toDisable = (row?.disable_ids ?? []).map((id, index) => ({
    webhookId: uuidToTypeId('whk', id),
    endpointVersion: versions[index] ?? 0,
  }))
  return { applied: row?.applied ?? 0, failed: idsOf(row?.failed_ids), stale: idsOf(row?.stale_ids), toDisable }
}

function idsOf(uuids: readonly string[] | null | undefined): ReadonlySet<string> {
  return new Set((uuids ?? []).map((uuid) => uuidToTypeId('dlv', uuid)))
}

interface Columns {
  readonly applied: number
  readonly failed_ids: string[] | null
  readonly stale_ids: string[] | null
  readonly disable_ids: string[] | null
  readonly disable_versions: number[] | null
}

/** An endpoint that answers faster is not checked again within a second while all attempts succeed. */
const QUICK_MS = 1000

const SQL = `
WITH outcome AS (
  SELECT * FROM json_to_recordset($1) AS o (
    delivery_id uuid, attempt int, tenant_id text, webhook_id uuid, open_state text, open_counts bool, failing_state text,
    failing_counts bool, due_in_ms float8, made bool, probe bool, started_at_ms float8, dns_ms float8, connect_ms float8,
    tls_ms float8, first_byte_ms float8, total_ms float8, address text, status int, error_class text, error_detail text,
    response_headers text, response_body text)),
tally AS (
  SELECT * FROM json_to_recordset($2) AS t (
    webhook_id uuid, endpoint_version int, succeeded bool, failures int, probe_failed bool, last_attempt_ms int)),
endpoint AS (
  SELECT e.webhook_id, e.endpoint_version, e.consecutive_failures, e.failing_since, e.probe_delay_ms, e.next_probe_at
    FROM webhook_endpoints e JOIN tally t ON t.webhook_id = e.webhook_id AND t.endpoint_version = e.endpoint_version
   WHERE e.webhook_id = ANY ($4::uuid[])
     AND (t.failures > 0 OR e.consecutive_failures > 0 OR e.failing_since IS NOT NULL OR e.next_probe_at IS NOT NULL
          OR greatest(e.last_attempt_ms, t.last_attempt_ms) > ${QUICK_MS}
          OR coalesce(e.last_success_at < now() - interval '1 s', true))
   ORDER BY e.webhook_id FOR UPDATE OF e),
verdict AS (
  SELECT t.*, e.next_probe_at, e.probe_delay_ms,
         CASE WHEN t.succeeded THEN t.failures ELSE e.consecutive_failures + t.failures END AS now_failures,
         CASE WHEN t.failures = 0 THEN NULL WHEN t.succeeded THEN now() ELSE coalesce(e.failing_since, now()) END AS since
    FROM tally t JOIN endpoint e USING (webhook_id, endpoint_version)),
endpoint_state AS (
  SELECT v.*, v.now_failures >= $6 AS is_failing,
         CASE WHEN v.next_probe_at IS NULL OR v.succeeded THEN $7::int
              WHEN v.probe_failed THEN least(v.probe_delay_ms * 2, $8::int)
              ELSE v.probe_delay_ms END AS new_delay_ms
    FROM verdict v),
step AS (
  SELECT o.*, CASE WHEN e.is_failing THEN o.failing_state ELSE o.open_state END AS state,
         CASE WHEN e.is_failing THEN o.failing_counts ELSE o.open_counts END AS counts
    FROM outcome o LEFT JOIN endpoint_state e USING (webhook_id)),
moved AS (
  UPDATE deliveries d
     SET ${TRANSITIONS.settle.set},
         attempt_count = d.attempt_count + s.counts::int,
         last_attempt_at = CASE WHEN s.made THEN to_timestamp(s.started_at_ms / 1000) ELSE d.last_attempt_at END,
         last_response_status = CASE WHEN s.made THEN s.status ELSE d.last_response_status END,
         last_error_class = CASE WHEN s.made THEN s.error_class ELSE d.last_error_class END,
         probe = false
    FROM step s
   WHERE d.id = s.delivery_id AND d.id = ANY ($3::uuid[]) AND d.attempt = s.attempt AND ${TRANSITIONS.settle.guard}
  RETURNING d.id, d.due_at, d.state),
kept AS (
  INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, probe, started_at, dns_ms, connect_ms, tls_ms,
                        first_byte_ms, total_ms, address, status, error_class, error_detail, response_headers,
                        response_body, next_attempt_at)
  SELECT o.delivery_id, o.attempt, o.tenant_id, o.webhook_id, o.probe, to_timestamp(o.started_at_ms / 1000),
         round(o.dns_ms), round(o.connect_ms), round(o.tls_ms), round(o.first_byte_ms), round(o.total_ms), o.address,
         o.status, o.error_class, o.error_detail, o.response_headers::json, decode(o.response_body, 'base64'), m.due_at
    FROM outcome o LEFT JOIN moved m ON m.id = o.delivery_id
   WHERE o.made AND (m.id IS NOT NULL OR EXISTS (SELECT FROM deliveries WHERE id = o.delivery_id))
     AND ${isNotDeleted('o.tenant_id', '$5')}
  ON CONFLICT DO NOTHING),
marked AS (
  UPDATE webhook_endpoints e
     SET consecutive_failures = n.now_failures,
         failing_since = n.since,
         last_success_at = CASE WHEN n.succeeded THEN now() ELSE e.last_success_at END,
         last_attempt_ms = n.last_attempt_ms,
         next_probe_at = CASE WHEN NOT n.is_failing THEN NULL
                              WHEN e.next_probe_at IS NULL OR n.succeeded OR n.probe_failed
                                THEN now() + n.new_delay_ms * interval '1 ms'
                              ELSE e.next_probe_at END,
         probe_delay_ms = CASE WHEN n.is_failing THEN n.new_delay_ms END
    FROM endpoint_state n
   WHERE e.webhook_id = n.webhook_id
  RETURNING e.webhook_id, e.endpoint_version,
            n.is_failing AND e.failing_since < now() - $9 * interval '1 ms' AS expired)
SELECT (SELECT count(*)::int FROM moved) AS applied,
       (SELECT array_agg(id) FROM moved WHERE state = 'failed') AS failed_ids,
       (SELECT array_agg(delivery_id) FROM outcome WHERE delivery_id NOT IN (SELECT id FROM moved)) AS stale_ids,
       (SELECT array_agg(webhook_id ORDER BY webhook_id) FROM marked WHERE expired) AS disable_ids,
       (SELECT array_agg(endpoint_version ORDER BY webhook_id) FROM marked WHERE expired) AS disable_versions`

/** A row of `outcome`. */
function toRow(outcome: AttemptOutcome): Readonly<Record<string, unknown>> {
  const { deliveryId, attempt, tenant, webhookId, next } = outcome
  const record = 'record' in outcome ? outcome.record : undefined
  return {
    delivery_id: typeIdToUuid('dlv', deliveryId),
    attempt,
    tenant_id: tenant,
    webhook_id: typeIdToUuid('whk', webhookId),
    open_state: next.whileOpen.state,
    open_counts: next.whileOpen.counts,
    failing_state: next.whileFailing.state,
    failing_counts: next.whileFailing.counts,
    due_in_ms: next.dueInMs,
    made: record !== undefined,
    probe: 'probe' in outcome && outcome.probe,
    started_at_ms: record?.startedAtMs,
    dns_ms: record?.dnsMs,
    connect_ms: record?.connectMs,
    tls_ms: record?.tlsMs,
    first_byte_ms: record?.firstByteMs,
    total_ms: record?.totalMs,
    address: record?.address,
    status: record?.status,
    error_class: record?.errorClass,
    // Postgres refuses half a surrogate pair in JSON.
    error_detail: record?.errorDetail?.replaceAll(/\p{Surrogate}/gu, '\ufffd'),
    response_headers: record?.responseHeaders,
    response_body: record?.responseBody?.toString('base64'),
  }
}
