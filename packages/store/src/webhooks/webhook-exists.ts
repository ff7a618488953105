import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** Whether there is this webhook, of the tenant if one is named, and it is not deleted. `webhookId` is a valid `whk_…`. By primary key. */
export async function webhookExists(
  db: Queryable,
  o: { readonly webhookId: string; readonly tenant?: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    'SELECT FROM webhooks WHERE id = $1 AND deleted_at IS NULL AND ($2::text IS NULL OR tenant_id = $2)',
    [typeIdToUuid('whk', o.webhookId), o.tenant ?? null],
  )
  return rowCount === 1
}
