import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** Whether any tenant has this webhook, and it is not deleted. By primary key. */
export async function webhookExists(db: Queryable, o: { readonly webhookId: string }): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM webhooks WHERE id = $1 AND deleted_at IS NULL', [
    typeIdToUuid('whk', o.webhookId),
  ])
  return rowCount === 1
}
