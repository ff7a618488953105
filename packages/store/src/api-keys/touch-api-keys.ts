import { typeIdToUuid } from '@ariftly/events'
import { plainArray } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** Notes when keys were last used, to the minute. An earlier minute than the stored one changes nothing. By primary key. */
export async function touchApiKeys(
  db: Queryable,
  uses: readonly { readonly id: string; readonly usedAtMs: number }[],
): Promise<void> {
  await db.query(
    `UPDATE api_keys k SET last_used_at = used.at
       FROM (SELECT id, date_trunc('minute', to_timestamp(ms / 1000)) AS at
               FROM unnest($1::uuid[], $2::float8[]) AS u (id, ms)) used
      WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at)`,
    [plainArray(uses.map(({ id }) => typeIdToUuid('key', id))), plainArray(uses.map(({ usedAtMs }) => usedAtMs))],
  )
}
