import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { storedWebhook, webhookRow, webhookSelect, type WebhookRow, type WebhookSettings } from './webhook-row.ts'
import { callFunction } from '../prepared.ts'

/** A webhook of a tenant; `id` is a valid `whk_…`. */
export interface WebhookKey {
  readonly tenant: string
  readonly id: string
}

/** SQL of {@link WebhookKey}: the webhook that is not deleted. By primary key. */
const IS_KEY = 'w.id = $1 AND w.tenant_id = $2 AND w.deleted_at IS NULL'

function keyOf({ tenant, id }: WebhookKey): [string, string] {
  return [typeIdToUuid('whk', id), tenant]
}

/** One webhook of a tenant, or undefined (deleted ones too). By primary key. */
export async function getWebhook(db: Queryable, key: WebhookKey): Promise<WebhookRow | undefined> {
  return webhookRow.readFirst(await db.query(`${webhookSelect('webhooks')} WHERE ${IS_KEY}`, keyOf(key)))
}

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

/** What it takes to send a webhook something that is no delivery. */
export interface WebhookToSend extends Pick<
  WebhookRow,
  'url' | 'events' | 'taskId' | 'sessionId' | 'agent' | 'headers'
> {
  /** Sealed, aad `webhook:<tenant>:<whk id>`. */
  readonly secret: Buffer
  /** Sealed; null unless a rotation's overlap is running. */
  readonly previousSecret: Buffer | null
}

/** A webhook of a tenant with what is sealed, or undefined. By primary key. */
export async function getWebhookToSend(db: Queryable, key: WebhookKey): Promise<WebhookToSend | undefined> {
  const { rows } = await db.query<WebhookToSend>(
    `SELECT url, events, task_id AS "taskId", session_id AS "sessionId", agent, secret, headers,
            CASE WHEN previous_secret_until > now() THEN previous_secret END AS "previousSecret"
       FROM webhooks w WHERE ${IS_KEY}`,
    keyOf(key),
  )
  return rows[0]
}

/** A webhook to store. */
export interface NewWebhook extends WebhookSettings, WebhookKey {
  /** Sealed with aad `webhook:<tenant>:<whk id>`. */
  readonly secret: Buffer
}

/**
 * Stores a new webhook, unless its tenant has `webhooksMax` already. Creations of one tenant wait for one another until their transactions end, so the
 * limit also holds for calls at the same time. Triggers add its endpoint's row and move `webhooks_version`: the matcher
 * sees the webhook with the first event appended after this has committed. Returns the webhook as it was written.
 */
export async function insertWebhook(
  tx: Queryable,
  { secret, ...webhook }: NewWebhook,
  webhooksMax: number,
): Promise<WebhookRow | 'too_many'> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ariftly webhooks ' || $1, 0))`, [webhook.tenant])
  const disabledReason = webhook.enabled ? null : 'manual'
  const { columns, parameters, values } = storedWebhook.write({ ...webhook, disabledReason }, 4)
  const written = await tx.query(
    `WITH written AS (INSERT INTO webhooks AS w (secret, ${columns})
     SELECT $1, ${parameters}
      WHERE (SELECT count(*) FROM webhooks WHERE tenant_id = $2 AND deleted_at IS NULL) < $3
     RETURNING ${storedWebhook.columns})
     ${webhookSelect('written')}`,
    [secret, webhook.tenant, webhooksMax, ...values],
  )
  return webhookRow.readFirst(written) ?? 'too_many'
}

/**
 * Changes the named settings of a webhook and returns it as it was written, with its settings before; undefined if the tenant has none with this id.
 * Enabling clears `disabled_reason`, disabling sets it to `manual` unless it was disabled already. A URL of another origin
 * clears the headers unless new ones are given: their values were meant for the host before. Moves `webhooks_version`. By
 * primary key.
 */
export async function updateWebhook(
  tx: Queryable,
  o: WebhookKey & { readonly changes: Partial<WebhookSettings> },
): Promise<{ readonly before: WebhookSettings; readonly webhook: WebhookRow } | undefined> {
  const before = storedWebhook.readFirst(
    await tx.query(`SELECT ${storedWebhook.columns} FROM webhooks w WHERE ${IS_KEY} FOR UPDATE`, keyOf(o)),
  )
  if (before === undefined) return undefined
  const cleared = movesOrigin(before.url, o.changes.url) ? NO_HEADERS : {}
  const { sets, values } = storedWebhook.write({ ...cleared, ...o.changes }, 3)
  const all = ['updated_at = now()', ...(sets === '' ? [] : [sets])]
  if (o.changes.enabled === true) all.push('disabled_reason = NULL')
  if (o.changes.enabled === false) all.push(`disabled_reason = coalesce(disabled_reason, 'manual')`)
  const written = await tx.query(
    `WITH written AS (
       UPDATE webhooks w SET ${all.join(', ')} WHERE ${IS_KEY} RETURNING ${storedWebhook.columns})
     ${webhookSelect('written')}`,
    [...keyOf(o), ...values],
  )
  const webhook = webhookRow.readFirst(written)
  return webhook && { before, webhook }
}

const NO_HEADERS = { headerNames: [], headers: null } as const

function movesOrigin(before: string, after: string | undefined): boolean {
  return after !== undefined && new URL(before).origin !== new URL(after).origin
}

/**
 * Gives a webhook a new secret and returns the webhook as it was written. For `overlapMs` the old secret is valid together with the
 * new one and signs too; with 0 it is gone at once. `under_way` while the overlap of an earlier rotation runs; `not_found`
 * if the tenant has no such webhook. By primary key.
 */
export async function rotateWebhookSecret(
  db: Queryable,
  o: WebhookKey & { readonly secret: Buffer; readonly overlapMs: number },
): Promise<WebhookRow | 'under_way' | 'not_found'> {
  const { rows } = await db.query<{ readonly rotated: boolean }>(
    `WITH webhook AS (
       SELECT id, previous_secret_until IS NULL OR previous_secret_until <= now() AS free
         FROM webhooks w WHERE ${IS_KEY} FOR UPDATE),
     written AS (
       UPDATE webhooks w
          SET secret = $3, updated_at = now(),
              previous_secret = CASE WHEN $4::float8 > 0 THEN w.secret END,
              previous_secret_until = CASE WHEN $4::float8 > 0 THEN now() + $4::float8 * interval '1 ms' END
         FROM webhook WHERE w.id = webhook.id AND webhook.free
       RETURNING ${storedWebhook.columns})
     SELECT shown.id IS NOT NULL AS rotated, shown.* FROM webhook LEFT JOIN (${webhookSelect('written')}) AS shown ON true`,
    [...keyOf(o), o.secret, o.overlapMs],
  )
  if (rows[0] === undefined) return 'not_found'
  return rows[0].rotated ? webhookRow.read(rows[0]) : 'under_way'
}

/**
 * Marks a webhook as deleted, and deletes its secrets and header values; false if the tenant has none with this id. From its
 * commit on no matcher writes deliveries for it and no list shows it. Its unfinished deliveries are cancelled by `cancelDeliveries`. By primary key.
 */
export async function deleteWebhook(db: Queryable, key: WebhookKey): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhooks w
        SET deleted_at = now(), updated_at = now(), secret = '', previous_secret = NULL, previous_secret_until = NULL,
            header_names = '{}', headers = NULL
      WHERE ${IS_KEY}`,
    keyOf(key),
  )
  return rowCount === 1
}

/**
 * Deletes webhooks that were deleted so long ago that no delivery of theirs is kept any more, at most `limit`, and answers how
 * many. Those with replays stay until these are deleted. By index webhooks_deleted.
 */
export async function deleteExpiredWebhooks(db: Queryable, o: { readonly limit: number }): Promise<number> {
  return await callFunction(db, 'delete_expired_webhooks', [o.limit])
}
