import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/**
 * Marks a webhook as deleted, and deletes its secrets and header values; false if the tenant has none with this id. From its
 * commit on no matcher writes deliveries for it and no list shows it. Its unfinished deliveries are cancelled by `cancelDeliveries`. By primary key.
 */
export async function deleteWebhook(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks
        SET deleted_at = now(), updated_at = now(), secret = '', previous_secret = NULL, previous_secret_until = NULL,
            header_names = '{}', headers = NULL
      WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL`,
    [typeIdToUuid('whk', o.id), o.tenant],
  )
  return rowCount === 1
}
