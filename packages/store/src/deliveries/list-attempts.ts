import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { AttemptRow, ListedAttempt } from './delivery-row.ts'

/** An attempt without the answer to it, as pg hands it over. */
export interface ListedAttemptColumns {
  readonly attempt: number
  readonly probe: boolean
  readonly started_at: Date
  readonly dns_ms: number | null
  readonly connect_ms: number | null
  readonly tls_ms: number | null
  readonly first_byte_ms: number | null
  readonly total_ms: number
  readonly address: string | null
  readonly status: number | null
  readonly error_class: string | null
  readonly error_detail: string | null
  readonly next_attempt_at: Date | null
}

interface AttemptColumns extends ListedAttemptColumns {
  readonly response_headers: string | null
  readonly response_body: Buffer | null
}

/** What `toListedAttempt` reads, of `attempts a`. */
export const LISTED_ATTEMPT_COLUMNS = `a.attempt, a.probe, a.started_at, a.dns_ms, a.connect_ms, a.tls_ms, a.first_byte_ms, a.total_ms,
  a.address, a.status, a.error_class, a.error_detail, a.next_attempt_at`

/**
 * The newest `limit` attempts of a delivery, oldest first, with what was answered to failures and to the last successes of the
 * webhook. A range of the primary key, in one partition.
 */
export async function listAttempts(
  db: Queryable,
  o: { readonly tenant: string; readonly deliveryId: string; readonly limit: number },
): Promise<readonly AttemptRow[]> {
  const { rows } = await db.query<AttemptColumns>(
    `SELECT ${LISTED_ATTEMPT_COLUMNS}, coalesce(a.response_headers, s.response_headers) AS response_headers,
            coalesce(a.response_body, s.response_body) AS response_body
       FROM attempts a
       LEFT JOIN success_answers s
              ON s.webhook_id = a.webhook_id AND s.delivery_id = a.delivery_id AND s.attempt = a.attempt
      WHERE a.delivery_id = $1 AND a.tenant_id = $2
      ORDER BY a.attempt DESC LIMIT $3`,
    [typeIdToUuid('dlv', o.deliveryId), o.tenant, o.limit],
  )
  return rows.toReversed().map((row) => ({
    ...toListedAttempt(row),
    responseHeaders: row.response_headers,
    responseBody: row.response_body,
  }))
}

/** Turns columns into the row that code works with. */
export function toListedAttempt(row: ListedAttemptColumns): ListedAttempt {
  return {
    attempt: row.attempt,
    probe: row.probe,
    startedAtMs: row.started_at.getTime(),
    dnsMs: row.dns_ms,
    connectMs: row.connect_ms,
    tlsMs: row.tls_ms,
    firstByteMs: row.first_byte_ms,
    totalMs: row.total_ms,
    address: row.address,
    status: row.status,
    errorClass: row.error_class,
    errorDetail: row.error_detail,
    nextAttemptAtMs: row.next_attempt_at?.getTime() ?? null,
  }
}
