import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import type { QueryConfig } from 'pg'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import type { ListedAttempt } from './delivery-row.ts'
import { LISTED_ATTEMPT_COLUMNS, toListedAttempt, type ListedAttemptColumns } from './list-attempts.ts'

/** Whose attempts are read. */
export interface AttemptsOfDeliveriesOptions {
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
  const { rows } = await db.query<ListedAttemptColumns & { delivery_id: string }>(attemptsOfDeliveriesQuery(o))
  const byDelivery = new Map<string, ListedAttempt[]>()
  for (const row of rows) {
    const id = uuidToTypeId('dlv', row.delivery_id)
    const known = byDelivery.get(id)
    if (known === undefined) byDelivery.set(id, [toListedAttempt(row)])
    else known.push(toListedAttempt(row))
  }
  return byDelivery
}

/** The statement. */
export function attemptsOfDeliveriesQuery(o: AttemptsOfDeliveriesOptions): QueryConfig<unknown[]> {
  return prepared(
    `SELECT a.delivery_id, ${LISTED_ATTEMPT_COLUMNS}
       FROM unnest($2::uuid[]) AS delivery (id)
      CROSS JOIN LATERAL (
              SELECT * FROM attempts WHERE delivery_id = delivery.id AND tenant_id = $1 ORDER BY attempt DESC LIMIT $3) AS a
      ORDER BY a.delivery_id, a.attempt DESC`,
    [o.tenant, o.deliveryIds.map((id) => typeIdToUuid('dlv', id)), o.limit],
  )
}
