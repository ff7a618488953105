import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/**
 * The number that every change of a webhook moves that matters to matching. A matcher reads what has changed when it has moved;
 * as the writer committed before its 2xx, any event appended later is matched with it.
 */
export async function readWebhooksVersion(tx: Queryable): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(prepared('SELECT version FROM webhooks_version', []))
  const row = rows[0]
  if (row === undefined) throw new Error('webhooks_version has lost its row')
  return row.version
}
