import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { plainArray, type Pool, type Queryable, withTransaction } from '@ariftly/store'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { recordOutcomes, type FailingRule, type RecordedOutcomes } from './record-outcomes.ts'

/**
 * Records outcomes whose recording was tried before, and may have been committed though its answer was lost: recorded
 * ones change nothing more, and are returned as they would have been then, except in `toDisable`. A recording that is
 * still under way is waited for, by the rows of the endpoints that it locks.
 */
export async function recordOutcomesAgain(
  pool: Pool,
  o: { readonly outcomes: readonly AttemptOutcome[]; readonly failing: FailingRule },
): Promise<RecordedOutcomes> {
  return await withTransaction(pool, async (tx) => {
    await waitForEndpoints(tx, o.outcomes)
    const known = await findRecorded(tx, o.outcomes)
    const outcomes = o.outcomes.filter(({ deliveryId }) => !known.has(deliveryId))
    const recorded = await recordOutcomes(tx, { ...o, outcomes })
    const idsOf = (how: Recorded) => [...known].filter(([, found]) => found === how).map(([id]) => id)
    return {
      applied: recorded.applied + idsOf('moved').length + idsOf('failed').length,
      failed: new Set([...recorded.failed, ...idsOf('failed')]),
      stale: new Set([...recorded.stale, ...idsOf('stale')]),
      toDisable: recorded.toDisable,
    }
  })
}

/** How a recorded outcome changed its delivery: it ended or planned it, or the delivery was no longer that attempt's. */
type Recorded = 'moved' | 'failed' | 'stale'

/** Locks the rows in the order in which `recordOutcomes` does. A statement of its own, so that the next one sees what was committed. */
async function waitForEndpoints(tx: Queryable, outcomes: readonly AttemptOutcome[]): Promise<void> {
  await tx.query('SELECT FROM webhook_endpoints WHERE webhook_id = ANY ($1::uuid[]) ORDER BY webhook_id FOR UPDATE', [
    plainArray(outcomes.map(({ webhookId }) => typeIdToUuid('whk', webhookId))),
  ])
}

/** The outcomes whose attempts are kept. By primary keys: `= ANY` beside the joins are planner hints for that. */
async function findRecorded(
  tx: Queryable,
  outcomes: readonly AttemptOutcome[],
): Promise<ReadonlyMap<string, Recorded>> {
  const { rows } = await tx.query<{ id: string; how: Recorded }>(
    `SELECT a.delivery_id AS id,
            CASE WHEN a.next_attempt_at IS NULL AND d.attempt > a.attempt THEN 'stale'
                 WHEN d.attempt = a.attempt AND d.state = 'failed' THEN 'failed' ELSE 'moved' END AS how
       FROM unnest($1::uuid[], $2::int[]) AS o (delivery_id, attempt)
       JOIN attempts a ON a.delivery_id = o.delivery_id AND a.attempt = o.attempt
       JOIN deliveries d ON d.id = a.delivery_id
      WHERE a.delivery_id = ANY ($1::uuid[]) AND d.id = ANY ($1::uuid[])`,
    [
      plainArray(outcomes.map(({ deliveryId }) => typeIdToUuid('dlv', deliveryId))),
      plainArray(outcomes.map(({ attempt }) => attempt)),
    ],
  )
  return new Map(rows.map(({ id, how }) => [uuidToTypeId('dlv', id), how]))
}
