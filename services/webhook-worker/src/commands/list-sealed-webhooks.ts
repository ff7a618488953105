import { typeIdToUuid } from '@ariftly/events'
import { defineRow, plain, tenant, typeId, type RowOf, type Queryable } from '@ariftly/store'

const sealedRow = defineRow('w', {
  id: typeId('whk'),
  tenant,
  secret: plain<Buffer>(),
  previousSecret: plain<Buffer | null>(),
  headers: plain<Buffer | null>(),
})

/** Everything of a webhook that is sealed with ENCRYPTION_KEYS, aad `webhook:<tenant>:<whk id>`. */
export type SealedWebhook = RowOf<typeof sealedRow>

/** A page of the webhooks of all tenants in the order of their ids. Deleted ones hold nothing sealed. By primary key. */
export async function listSealedWebhooks(
  db: Queryable,
  o: { readonly afterId: string | undefined; readonly limit: number },
): Promise<readonly SealedWebhook[]> {
  const { rows } = await db.query(
    `SELECT ${sealedRow.columns}
       FROM webhooks w WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`,
    [o.afterId === undefined ? null : typeIdToUuid('whk', o.afterId), o.limit],
  )
  return rows.map(sealedRow.read)
}

/**
 * Replaces the sealed values that were read by newly sealed ones; false, with nothing changed, when a rotation or an edit was made
 * in between (read it again). By primary key.
 */
export async function replaceSealed(db: Queryable, before: SealedWebhook, after: SealedWebhook): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks SET secret = $2, previous_secret = $3, headers = $4
      WHERE id = $1 AND secret = $5 AND previous_secret IS NOT DISTINCT FROM $6 AND headers IS NOT DISTINCT FROM $7`,
    [
      typeIdToUuid('whk', before.id),
      after.secret,
      after.previousSecret,
      after.headers,
      before.secret,
      before.previousSecret,
      before.headers,
    ],
  )
  return rowCount === 1
}
