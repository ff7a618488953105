import { parseTypeId } from '@ariftly/events'
import { type Pool } from '@ariftly/store'
import { getReplay, type ReplayRow } from '@ariftly/store/replays'
import { notFound } from '../not-found.ts'
import { isWebhookId } from '../find-webhook.ts'

/** The replay that a path names; a `Problem` 404 for what is no id, not there, of another webhook or another tenant's. */
export async function findReplay(
  pool: Pool,
  tenant: string,
  params: Readonly<Record<string, string>>,
): Promise<ReplayRow> {
  const { id: webhookId = '', replay: id = '' } = params
  if (!isWebhookId(webhookId)) throw notFound('webhook')
  const row = parseTypeId('rpl', id) === undefined ? undefined : await getReplay(pool, { tenant, webhookId, id })
  if (row === undefined) throw notFound('replay')
  return row
}
