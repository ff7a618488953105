import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'

/** A record whose id may have been seen before. */
export interface DuplicateCandidate {
  readonly tenant: string
  readonly id: string
  readonly offset: number
}

/**
 * Indexes of the candidates that are duplicates: the projection has their (tenant, id) at an earlier position (a lower
 * offset of the partition, or an older epoch). A duplicate in another partition (under another task) does not count: streams
 * may show either. By primary key, one probe a record.
 */
export async function findEarlierDuplicates(
  db: Queryable,
  o: { readonly epoch: number; readonly partition: number; readonly candidates: readonly DuplicateCandidate[] },
): Promise<ReadonlySet<number>> {
  const { rows } = await db.query<{ n: number }>({
    name: 'streams-earlier-duplicates',
    text: `SELECT asked.n::int4 AS n
             FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS asked (tenant_id, id, "offset", n)
            CROSS JOIN LATERAL (
              SELECT 1 AS found FROM events e
               WHERE e.tenant_id = asked.tenant_id AND e.id = asked.id
                 AND (e.epoch < $4 OR (e.epoch = $4 AND e.partition = $5 AND e."offset" < asked."offset"))
               LIMIT 1) earlier`,
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
