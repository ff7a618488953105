import { createBodyReader, rotateSecretSchema, WEBHOOK_LIMITS } from '@ariftly/contract'
import type { EgressPolicy } from '@ariftly/egress'
import { newTypeId, NO_FILTER, shownFilter } from '@ariftly/events'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { generateSecret } from '@ariftly/signatures'
import type { Pool } from '@ariftly/store'
import { cancelDeliveries } from '../deliveries/change-deliveries.ts'
import {
  deleteWebhook,
  insertWebhook,
  rotateWebhookSecret,
  updateWebhook,
  type WebhookRow,
  type WebhookSettings,
} from '@ariftly/store/webhooks'
import { listWebhooks } from './list-webhooks.ts'
import { webhookAad } from '@ariftly/webhook-sending'
import { CANCELLED_AT_ONCE } from '../deliveries/cancel-waiting.ts'
import { findWebhook } from '../find-webhook.ts'
import { notFound, pathId } from '../not-found.ts'
import { pageParams, sendObjects, type ListDeps } from '../send-list.ts'
import { timeOf } from '../time-of.ts'
import { changesOf, hiddenChange, type Change, type Settings } from '../writes/changes.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { readNewWebhook, readWebhookChanges } from './webhook-body.ts'
import { settingsOf } from './webhook-settings.ts'

/** Makes the handlers that read `/v1/webhooks…`. */
export function createWebhookHandlers({
  pool,
  cursors,
}: ListDeps): Readonly<Record<'listWebhooks' | 'getWebhook', ApiHandler>> {
  return {
    /** Newest first. A page may end early, as backlogs are counted. */
    async listWebhooks({ caller: { tenant }, url }, _req, res) {
      const { limit, cursor } = readQuery(url, pageParams)
      const from = cursor === undefined ? {} : { cursorId: cursors.decode('webhooks', { tenant }, cursor) }
      const { webhooks, hasMore } = await listWebhooks(pool, { tenant, limit, ...from })
      const last = hasMore ? webhooks.at(-1) : undefined
      const next = last === undefined ? null : cursors.encode('webhooks', { tenant }, last.id)
      sendObjects(res, webhooks.map(renderWebhook), next)
    },

    async getWebhook({ caller: { tenant }, params, url }, _req, res) {
      readQuery(url, {})
      sendJson(res, 200, renderWebhook(await findWebhook(pool, tenant, params['id'])))
    },
  }
}

/** Dependencies of the handlers that write webhooks. */
export interface WebhookWritesDeps {
  readonly pool: Pool
  readonly keyring: Pick<Keyring, 'seal'>
  readonly policy: EgressPolicy
}

/** Makes the handlers that write `/v1/webhooks…`. */
export function createWebhookWrites(
  deps: WebhookWritesDeps,
): Readonly<Record<'createWebhook' | 'updateWebhook' | 'deleteWebhook' | 'rotateWebhookSecret', WriteHandler>> {
  return {
    createWebhook: createCreate(deps),
    updateWebhook: createUpdate(deps),
    deleteWebhook: createDelete(deps),
    rotateWebhookSecret: createRotate(deps),
  }
}

/** 201 with the webhook and, this once, its secret; 409 beyond the limit of the tenant. */
function createCreate({ keyring, policy }: WebhookWritesDeps): WriteHandler {
  return async ({ caller: { tenant, limits }, body }, tx) => {
    const webhooksMax = limits.webhooks ?? WEBHOOK_LIMITS.webhooksPerTenantMax
    const given = readNewWebhook(body, { policy })
    const id = newTypeId('whk')
    const secret = given.secret ?? generateSecret()
    const sealed = keyring.seal(Buffer.from(secret), webhookAad(tenant, id))
    const settings = {
      ...DEFAULTS,
      ...settingsOf(given, { tenant, id, keyring }),
      url: given.url,
      events: given.events,
    }
    const row = await insertWebhook(tx, { ...settings, id, tenant, secret: sealed }, webhooksMax)
    if (row === 'too_many') throw tooMany(webhooksMax)
    return {
      status: 201,
      body: renderWithSecret(row, secret),
      headers: { Location: `/v1/webhooks/${id}` },
      audit: { action: 'webhook.create', target: id, tenant, changes: webhookChanges(undefined, row) },
    }
  }
}

const DEFAULTS = {
  ...NO_FILTER,
  description: null,
  enabled: true,
  headerNames: [],
  headers: null,
  rateLimit: null,
  ordering: 'none',
  filter: null,
} as const

function tooMany(max: number): Problem {
  return new Problem(409, 'too_many_webhooks', {
    detail: `This tenant has at most ${max} webhooks: delete one first.`,
  })
}

/** Changes the members that are given, null clears one. A URL of another origin clears the headers unless they are given too. */
function createUpdate({ keyring, policy }: WebhookWritesDeps): WriteHandler {
  return async ({ caller: { tenant }, params, body }, tx) => {
    const id = pathId('whk', params['id'])
    const changes = settingsOf(readWebhookChanges(body, { policy }), { tenant, id, keyring })
    if (Object.keys(changes).length === 0) {
      return { status: 200, body: renderWebhook(await findWebhook(tx, tenant, id)) }
    }
    const updated = await updateWebhook(tx, { tenant, id, changes })
    if (updated === undefined) throw notFound('webhook')
    const { before, webhook } = updated
    return {
      status: 200,
      body: renderWebhook(webhook),
      audit: { action: 'webhook.update', target: id, tenant, changes: webhookChanges(before, webhook) },
    }
  }
}

/**
 * 204: the webhook gets nothing more, and what waits for it is cancelled: as many as one statement takes here, so that a long
 * backlog does not hold a place of the gate; the rest, and what a matcher writes at this moment, by the worker's sweeper.
 */
function createDelete({ pool }: WebhookWritesDeps): WriteHandler {
  return async ({ caller: { tenant }, params }, tx) => {
    const id = pathId('whk', params['id'])
    if (!(await deleteWebhook(tx, { tenant, id }))) throw notFound('webhook')
    return {
      status: 204,
      audit: { action: 'webhook.delete', target: id, tenant, changes: [] },
      after: async () => void (await cancelDeliveries(pool, { tenant, webhookId: id, limit: CANCELLED_AT_ONCE })),
    }
  }
}

const OVERLAP_HOURS = 24
const HOUR_MS = 3_600_000

const readRotation = createBodyReader(rotateSecretSchema, { optional: true })

/**
 * The webhook and, this once, its new secret. Until the overlap ends the old secret signs too (`X-Ariftly-Signature` with it
 * alone), and a further rotation is 409.
 */
function createRotate({ keyring }: WebhookWritesDeps): WriteHandler {
  return async ({ caller: { tenant }, params, body }, tx) => {
    const id = pathId('whk', params['id'])
    const { secret = generateSecret(), overlap_hours: overlapHours = OVERLAP_HOURS } = readRotation(body)
    const sealed = keyring.seal(Buffer.from(secret), webhookAad(tenant, id))
    const row = await rotateWebhookSecret(tx, { tenant, id, secret: sealed, overlapMs: overlapHours * HOUR_MS })
    if (row === 'not_found') throw notFound('webhook')
    if (row === 'under_way') throw underWay()
    return {
      status: 200,
      body: renderWithSecret(row, secret),
      audit: { action: 'webhook.rotate_secret', target: id, tenant, changes: [hiddenChange('/secret')] },
    }
  }
}

function underWay(): Problem {
  return new Problem(409, 'rotation_under_way', {
    detail: 'The secret before the current one still signs: rotate again when its overlap has ended.',
  })
}

/** What changed of the settings of a webhook. Its headers and its filter may hold secrets or personal data: they are not shown. */
function webhookChanges(before: WebhookSettings | undefined, after: WebhookSettings): readonly Change[] {
  const { headers = null, filter = null } = before ?? {}
  return [
    ...changesOf(before && shownSettings(before), shownSettings(after)),
    // Each sealing differs, so equal headers that are given again count as changed.
    ...(headers?.toString('hex') === after.headers?.toString('hex') ? [] : [hiddenChange('/headers')]),
    ...(filter === after.filter ? [] : [hiddenChange('/filter')]),
  ]
}

function shownSettings(settings: WebhookSettings): Settings {
  const { url, events, taskId, sessionId, agent, description, enabled, rateLimit, ordering } = settings
  const filters = { events, task_id: taskId, session_id: sessionId, agent }
  return { url, ...filters, description, enabled, rate_limit: rateLimit, ordering }
}

/** The webhook object; headers by name only, and the secret never. */
export function renderWebhook(row: WebhookRow): Record<string, unknown> {
  return {
    object: 'webhook',
    id: row.id,
    url: row.url,
    events: row.events,
    ...shownFilter(row),
    description: row.description,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    headers: row.headerNames,
    rate_limit: row.rateLimit,
    ordering: row.ordering,
    filter: row.filter === null ? null : (JSON.parse(row.filter) as unknown),
    pending_count: row.pendingCount,
    oldest_pending_at: timeOf(row.oldestPendingAtMs),
    failing_since: timeOf(row.failingSinceMs),
    last_success_at: timeOf(row.lastSuccessAtMs),
    created_at: timeOf(row.createdAtMs),
    updated_at: timeOf(row.updatedAtMs),
  }
}

/** The same with its secret, as creation and rotation show it, once. */
export function renderWithSecret(row: WebhookRow, secret: string): Record<string, unknown> {
  return { ...renderWebhook(row), secret }
}
