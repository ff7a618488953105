import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import {
  defineRow,
  groupBy,
  plain,
  prepared,
  type PreparedQuery,
  type Queryable,
  type RowOf,
  time,
  timeOrNull,
} from '@ariftly/store'

const LISTED = {
  attempt: plain<number>(),
  /** A probe of a failing endpoint counts towards no schedule. */
  probe: plain<boolean>(),
  startedAtMs: time(),
  dnsMs: ms('dns_ms'),
  connectMs: ms('connect_ms'),
  tlsMs: ms('tls_ms'),
  firstByteMs: ms('first_byte_ms'),
  totalMs: plain<number>({ name: 'total_ms' }),
  address: plain<string | null>(),
  status: plain<number | null>(),
  errorClass: plain<string | null>(),
  errorDetail: plain<string | null>(),
  nextAttemptAtMs: timeOrNull(),
}

/** Milliseconds that a part of an attempt took; null where it ended before. */
function ms(name: string) {
  return plain<number | null>({ name })
}

const listedRow = defineRow('a', LISTED)

/** An attempt without the answer to it. */
export type ListedAttempt = RowOf<typeof listedRow>

/** The attempts `a`, and the kept answers `s` to successful ones. */
const attemptRow = defineRow('a', {
  ...LISTED,
  /** JSON object of names and values. */
  responseHeaders: plain<string | null>({ sql: 'coalesce(a.response_headers, s.response_headers)' }),
  responseBody: plain<Buffer | null>({ sql: 'coalesce(a.response_body, s.response_body)' }),
})

/** One stored attempt of a delivery. */
export type AttemptRow = RowOf<typeof attemptRow>

/**
 * The newest `limit` attempts of a delivery, oldest first, with what was answered to failures and to the last successes of the
 * webhook. A range of the primary key, in one partition.
 */
export async function listAttempts(
  db: Queryable,
  o: { readonly tenant: string; readonly deliveryId: string; readonly limit: number },
): Promise<readonly AttemptRow[]> {
  const { rows } = await db.query(
    `SELECT ${attemptRow.columns}
       FROM attempts a
       LEFT JOIN success_answers s
              ON s.webhook_id = a.webhook_id AND s.delivery_id = a.delivery_id AND s.attempt = a.attempt
      WHERE a.delivery_id = $1 AND a.tenant_id = $2
      ORDER BY a.attempt DESC LIMIT $3`,
    [typeIdToUuid('dlv', o.deliveryId), o.tenant, o.limit],
  )
  return rows.toReversed().map(attemptRow.read)
}

/** Whose attempts are read. */
interface AttemptsOfDeliveriesOptions {
  readonly tenant: string
  /** Valid `dlv_…`, each once. */
  readonly deliveryIds: readonly string[]
  /** Most attempts of one delivery that are read. */
  readonly limit: number
}

/**
 * The newest attempts of some deliveries by delivery id, each list newest first, without the answers to them. At most `limit` rows of each delivery,
 * by a range of the primary key in its one partition. For connections with `LIST_SETTINGS`.
 */
export async function listAttemptsOfDeliveries(
  db: Queryable,
  o: AttemptsOfDeliveriesOptions,
): Promise<ReadonlyMap<string, readonly ListedAttempt[]>> {
  const { rows } = await db.query<{ readonly delivery_id: string }>(attemptsOfDeliveriesQuery(o))
  const byDelivery = groupBy(rows, (row) => uuidToTypeId('dlv', row.delivery_id))
  return new Map(Array.from(byDelivery, ([id, attempts]) => [id, attempts.map(listedRow.read)]))
}

/** The statement. */
export function attemptsOfDeliveriesQuery(o: AttemptsOfDeliveriesOptions): PreparedQuery {
  return prepared(
    `SELECT a.delivery_id, ${listedRow.columns}
       FROM unnest($2::uuid[]) AS delivery (id)
      CROSS JOIN LATERAL (
              SELECT * FROM attempts WHERE delivery_id = delivery.id AND tenant_id = $1 ORDER BY attempt DESC LIMIT $3) AS a
      ORDER BY a.delivery_id, a.attempt DESC`,
    [o.tenant, o.deliveryIds.map((id) => typeIdToUuid('dlv', id)), o.limit],
  )
}
