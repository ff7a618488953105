import { generateApiKey } from '@ariftly/auth'
import { API_KEYS_PER_TENANT_MAX, TENANT, TENANT_SHAPE } from '@ariftly/contract'
import { newTypeId } from '@ariftly/events'
import { Problem, readQuery, sendJson, textParam, type ApiCall, type ApiHandler, type Caller } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'
import {
  countLiveApiKeys,
  insertApiKey,
  listApiKeys,
  lockApiKey,
  revokeApiKey,
  rotateApiKey,
  updateApiKey,
  type ApiKeyRow,
} from '@ariftly/store/api-keys'
import { getTenant } from '../tenants/tenant-rows.ts'
import { notFound } from '../not-found.ts'
import { byId, pageParams, sendPage, type ListDeps } from '../send-list.ts'
import { reachTenant } from '../tenants/reach-tenant.ts'
import { tenantDeleted } from '../tenants/tenant-problems.ts'
import { timeOf } from '../time-of.ts'
import { changesOf, hiddenChange, type Settings } from '../writes/changes.ts'
import type { Audited, WriteAnswer, WriteHandler } from '../writes/write-handler.ts'
import { readApiKeyChanges, readApiKeyRequest, readRotation } from './api-key-body.ts'
import { refuseExcess, refuseForeignKey, refuseForeignScopes } from './refuse-excess.ts'

/** Makes the handlers that read `/v1/api-keys…`. `admin` reaches its own tenant's keys, `platform` any tenant's. */
export function createApiKeyHandlers({
  pool,
  cursors,
}: ListDeps): Readonly<Record<'getCurrentApiKey' | 'listApiKeys', ApiHandler>> {
  return {
    getCurrentApiKey({ caller, url }, _req, res) {
      readQuery(url, {})
      sendJson(res, 200, currentApiKeyObject(caller))
    },

    async listApiKeys({ caller, url }, _req, res) {
      const { tenant, ...query } = readQuery(url, LIST_QUERY)
      const bound = { tenant: reachTenant(caller, tenant) }
      const list = { cursors, name: 'api_keys', bound, query, render: apiKeyObject, placeOf: byId }
      await sendPage(res, { ...list, read: (page) => listApiKeys(pool, { ...bound, ...page }) })
    },
  }
}

const LIST_QUERY = { tenant: textParam({ pattern: TENANT, shape: TENANT_SHAPE }), ...pageParams } as const

const HOUR_MS = 3_600_000

/**
 * Makes the handlers that write `/v1/api-keys…`. `admin` reaches its own tenant's keys, `platform` any tenant's; a key with
 * more rights than the caller's cannot be changed.
 * @param now epoch milliseconds.
 */
export function createApiKeyWrites(
  now: () => number = Date.now,
): Readonly<Record<'createApiKey' | 'updateApiKey' | 'rotateApiKey' | 'revokeApiKey', WriteHandler>> {
  async function create({ caller, body }: ApiCall, tx: Transaction): Promise<WriteAnswer> {
    const nowMs = now()
    const request = readApiKeyRequest(body, nowMs)
    const tenant = reachTenant(caller, request.tenant)
    refuseExcess(caller, request)
    const { key, hash } = generateApiKey()
    const { name, scopes, quota, expiresAtMs } = request
    const row = { id: newTypeId('key', nowMs), tenant, name, scopes, quota, expiresAtMs, createdAtMs: nowMs }
    if (!(await insertApiKey(tx, { ...row, hash }))) throw await refusedKey(tx, tenant)
    const { live, max } = await countLiveApiKeys(tx, { tenant, defaultMax: API_KEYS_PER_TENANT_MAX })
    if (live > max) throw tooManyApiKeys(max)
    const made = { ...row, lastUsedAtMs: null, revokedAtMs: null }
    return answerWithSecret(made, key, { action: 'api_key.create', changes: changesOf(undefined, settingsOf(made)) })
  }

  async function update(call: ApiCall, tx: Transaction): Promise<WriteAnswer> {
    const changes = readApiKeyChanges(call.body, now())
    const target = await findTarget(call, tx)
    refuseForeignKey(call.caller, target)
    const changed = { ...target, ...changes }
    refuseExcess(call.caller, changed)
    const answer = { status: 200, body: apiKeyObject(changed) } as const
    if (Object.keys(changes).length === 0) return answer
    await updateApiKey(tx, changed)
    const audit = { action: 'api_key.update', target: target.id, tenant: target.tenant } as const
    return { ...answer, audit: { ...audit, changes: changesOf(settingsOf(target), settingsOf(changed)) } }
  }

  return { createApiKey: create, updateApiKey: update, rotateApiKey: rotate, revokeApiKey: revoke }
}

async function rotate(call: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  const { overlapHours } = readRotation(call.body)
  const target = await findTarget(call, tx)
  refuseForeignKey(call.caller, target)
  const { key, hash } = generateApiKey()
  const rotated = await rotateApiKey(tx, { id: target.id, hash, overlapMs: overlapHours * HOUR_MS })
  if (!rotated) throw rotationUnderWay()
  return answerWithSecret(target, key, { action: 'api_key.rotate', changes: [hiddenChange('/key')] })
}

async function revoke(call: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  const target = await findTarget(call, tx)
  refuseForeignScopes(call.caller, target)
  await revokeApiKey(tx, { id: target.id })
  return { status: 204, audit: { action: 'api_key.revoke', target: target.id, tenant: target.tenant, changes: [] } }
}

/** The key of the path, locked; 404 if it does not exist, is revoked, or is another tenant's. */
async function findTarget({ caller, params }: ApiCall, tx: Transaction): Promise<ApiKeyRow> {
  const target = await lockApiKey(tx, params['id'] ?? '')
  if (target === undefined) throw notFound('API key')
  if (target.tenant !== caller.tenant && !caller.scopes.includes('platform')) throw notFound('API key')
  return target
}

function answerWithSecret(row: ApiKeyRow, key: string, audited: Pick<Audited, 'action' | 'changes'>): WriteAnswer {
  return {
    status: 201,
    body: newApiKeyObject(row, key),
    headers: { Location: `/v1/api-keys/${row.id}` },
    audit: { ...audited, target: row.id, tenant: row.tenant },
  }
}

function tooManyApiKeys(max: number): Problem {
  return new Problem(409, 'too_many_api_keys', {
    detail: `A tenant may have ${max} API keys, expired ones too: revoke the ones that are not used.`,
  })
}

/** A new secret is unique, so a key that was not stored is of a tenant that takes none. */
async function refusedKey(tx: Transaction, tenant: string): Promise<Problem> {
  const state = (await getTenant(tx, tenant))?.state
  return tenantDeleted(state === 'deleted' ? state : 'deleting')
}

function rotationUnderWay(): Problem {
  return new Problem(409, 'rotation_under_way', {
    detail: 'The secret before the current one still works: rotate again when its overlap has ended.',
  })
}

/** An API key as the API shows it; without the key itself, which is shown once. */
export function apiKeyObject(row: ApiKeyRow): Record<string, unknown> {
  return {
    object: 'api_key',
    id: row.id,
    tenant: row.tenant,
    ...settingsOf(row),
    last_used_at: timeOf(row.lastUsedAtMs),
    created_at: timeOf(row.createdAtMs),
  }
}

/** What a caller decides about a key, by the names of the API. */
function settingsOf({ name, scopes, quota, expiresAtMs }: ApiKeyRow): Settings {
  return { name, scopes, quota: quotaObject(quota), expires_at: timeOf(expiresAtMs) }
}

/** A key that was just made or rotated: with its secret, which is shown this once. */
export function newApiKeyObject(row: ApiKeyRow, key: string): Record<string, unknown> {
  const { object, id, ...rest } = apiKeyObject(row)
  return { object, id, key, ...rest }
}

/** The calling key, as the authenticator knows it: this must work while Postgres is unavailable. */
export function currentApiKeyObject(caller: Caller): Record<string, unknown> {
  return {
    object: 'api_key',
    id: caller.keyId,
    tenant: caller.tenant,
    scopes: caller.scopes,
    quota: quotaObject(caller.quota),
    expires_at: timeOf(caller.expiresAtMs),
  }
}

function quotaObject(quota: Caller['quota']): Record<string, number | null> {
  return { events_per_s: quota.eventsPerS, bytes_per_s: quota.bytesPerS }
}
