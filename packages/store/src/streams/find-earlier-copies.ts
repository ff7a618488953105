import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** A record whose id may have been seen before. */
export interface CopyCandidate {
  readonly tenant: string
  readonly id: string
  readonly offset: number
}

/**
 * Which of these records of one partition are copies: their (tenant, id) stands in the projection at an earlier position
 * (a lower offset of the partition, or an older epoch). Answers the indexes into `candidates`. A copy under another task in
 * another partition does not count: streams may show either (design 4.5). By primary key, one probe a record.
 */
export async function findEarlierCopies(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly candidates: readonly CopyCandidate[] },
): Promise<ReadonlySet<number>> {
  const { rows } = await db.query<{ n: number }>({
    name: 'streams-earlier-copies',
    text: `SELECT asked.n::int4 AS n
             FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS asked (tenant_id, id, "offset", n)
            CROSS JOIN LATERAL (
              SELECT 1 AS found FROM events e
               WHERE e.tenant_id = asked.tenant_id AND e.id = asked.id
                 AND (e.epoch < $4 OR (e.epoch = $4 AND e.partition = $5 AND e."offset" < asked."offset"))
               LIMIT 1) copy`,
    values: [
      o.candidates.map((candidate) => candidate.tenant),
      o.candidates.map((candidate) => typeIdToUuid('evt', candidate.id)),
      o.candidates.map((candidate) => candidate.offset),
      o.epoch,
      o.partition,
    ],
  })
  return new Set(rows.map((row) => row.n - 1))
}
