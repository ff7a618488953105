import { createHash } from 'node:crypto'
import { newTypeId, parseTypeId, typeIdToUuid } from '@ariftly/events'
import { defineRow, plain, tenant, time, timeOrNull, typeId, type RowOf } from '../define-row.ts'
import { idBounds } from '../id-bounds.ts'
import { callFunction, plainArray } from '../prepared.ts'
import type { Queryable, Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from './api-key-changes.ts'

const NUMBER_MAX = Number.MAX_SAFE_INTEGER

/** The members of a key, of `api_keys k`. */
export const API_KEY_MEMBERS = {
  /** `key_…`. */
  id: typeId('key'),
  tenant,
  name: plain<string>(),
  scopes: plain<readonly string[]>(),
  /** Null is no limit. */
  quota: {
    eventsPerS: plain<number | null>({ name: 'quota_events_per_s' }),
    /** A larger stored one is read as 2^53 - 1: a value that JavaScript cannot hold would fail the reading of all rows. */
    bytesPerS: plain<number | null>({
      name: 'quota_bytes_per_s',
      sql: `CASE WHEN k.quota_bytes_per_s > ${NUMBER_MAX} THEN ${NUMBER_MAX} ELSE k.quota_bytes_per_s END`,
    }),
  },
  expiresAtMs: timeOrNull(),
  createdAtMs: time(),
  /** A whole minute; null before the first use. */
  lastUsedAtMs: timeOrNull(),
  revokedAtMs: timeOrNull(),
}

const keyRow = defineRow('k', API_KEY_MEMBERS)

/** A stored API key; the key itself is not stored. */
export type ApiKeyRow = RowOf<typeof keyRow>

/** A key to store, with the SHA-256 of its characters. */
export interface NewApiKey extends Omit<ApiKeyRow, 'revokedAtMs' | 'lastUsedAtMs'> {
  /** 32 bytes. */
  readonly hash: Buffer
}

/**
 * Stores a key. False, with nothing changed, when its hash exists already (also of a revoked key or a retired secret), or when
 * its tenant is being deleted.
 */
export async function insertApiKey(db: Queryable, { hash, ...key }: NewApiKey): Promise<boolean> {
  const { columns, parameters, values } = keyRow.write(key, 2)
  const { rowCount } = await db.query(
    `INSERT INTO api_keys (hash, ${columns}) VALUES ($1, ${parameters}) ON CONFLICT (hash) DO NOTHING`,
    [hash, ...values],
  )
  return rowCount === 1
}

/**
 * Stores ARIFTLY_BOOTSTRAP_KEY as a key of tenant `default` with all scopes. False when it exists already: seeding again changes
 * nothing, and a revoked bootstrap key stays revoked.
 */
export async function seedBootstrapKey(db: Queryable, key: string): Promise<boolean> {
  const nowMs = Date.now()
  return await insertApiKey(db, {
    id: newTypeId('key', nowMs),
    tenant: 'default',
    name: 'bootstrap',
    scopes: ['events:write', 'events:read', 'webhooks', 'admin', 'platform'],
    hash: createHash('sha256').update(key).digest(),
    quota: { eventsPerS: null, bytesPerS: null },
    expiresAtMs: null,
    createdAtMs: nowMs,
  })
}

/** Which keys to list. */
export interface ListApiKeysOptions {
  readonly tenant: string
  /** Only those older than this id (`key_…`). */
  readonly cursorId?: string
  readonly limit: number
}

/** Keys of a tenant that are not revoked (expired ones are there), newest first. By index api_keys_tenant, which alone has the order. */
export async function listApiKeys(db: Queryable, o: ListApiKeysOptions): Promise<readonly ApiKeyRow[]> {
  const { high } = idBounds('key', { ...o, order: 'desc' })
  const { rows } = await db.query({
    name: 'list-api-keys',
    text: `SELECT ${keyRow.columns} FROM api_keys k
           WHERE (tenant_id, id) < ($1, $2::uuid) AND tenant_id >= $1 AND revoked_at IS NULL
           ORDER BY tenant_id DESC, id DESC LIMIT $3`,
    values: [o.tenant, high, o.limit],
  })
  return rows.map(keyRow.read)
}

/**
 * The number of a tenant's keys that are not revoked (expired ones count), up to one above its limit, and the limit. Constant in
 * a transaction that holds the feed's lock (as `insertApiKey` does). By index api_keys_tenant.
 */
export async function countLiveApiKeys(
  tx: Transaction,
  o: { readonly tenant: string; readonly defaultMax: number },
): Promise<{ readonly live: number; readonly max: number }> {
  const { rows } = await tx.query<{ live: number; max: number }>(
    `SELECT allowed.max, (SELECT count(*) FROM (
              SELECT FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL LIMIT allowed.max + 1) keys) AS live
       FROM (SELECT coalesce((SELECT api_keys FROM tenants WHERE id = $1), $2::int) AS max) allowed`,
    [o.tenant, o.defaultMax],
  )
  const [row] = rows
  if (row === undefined) throw new Error('A count returned no row.')
  return row
}

/**
 * Takes the feed's lock, locks a key that is not revoked until the transaction ends, and answers it; undefined when there
 * is none. By primary key.
 */
export async function lockApiKey(tx: Transaction, id: string): Promise<ApiKeyRow | undefined> {
  const uuid = parseTypeId('key', id)?.toString('hex')
  if (uuid === undefined) return undefined
  await lockApiKeyChanges(tx)
  const found = await tx.query(
    `SELECT ${keyRow.columns} FROM api_keys k WHERE k.id = $1::uuid AND k.revoked_at IS NULL FOR UPDATE`,
    [uuid],
  )
  return keyRow.readFirst(found)
}

/**
 * Writes name, quota and end of a key locked by {@link lockApiKey}, and an entry of the feed, so that every process looks the
 * key up again, in the caller's transaction.
 */
export async function updateApiKey(
  tx: Transaction,
  { id, name, quota, expiresAtMs }: Pick<ApiKeyRow, 'id' | 'name' | 'quota' | 'expiresAtMs'>,
): Promise<void> {
  await lockApiKeyChanges(tx)
  const { sets, values } = keyRow.write({ name, quota, expiresAtMs }, 2)
  await tx.query(
    `WITH updated AS (UPDATE api_keys SET ${sets} WHERE id = $1::uuid RETURNING id, expires_at)
     INSERT INTO api_key_changes (api_key_id, kind, ends_at) SELECT id, 'updated', expires_at FROM updated`,
    [typeIdToUuid('key', id), ...values],
  )
}

/** A rotation of a key. */
export interface RotateApiKeyOptions {
  /** `key_…`, locked by {@link lockApiKey}. */
  readonly id: string
  /** SHA-256 of the new secret, 32 bytes. */
  readonly hash: Buffer
  /** How long the old secret still works; 0 ends it immediately. */
  readonly overlapMs: number
}

/**
 * Gives a key a new secret, keeps the old one until the overlap ends, and writes the feed, in the caller's transaction.
 * False, with nothing changed, while the overlap of an earlier rotation runs.
 */
export async function rotateApiKey(tx: Transaction, o: RotateApiKeyOptions): Promise<boolean> {
  await lockApiKeyChanges(tx)
  const { rowCount } = await tx.query(
    `WITH retired AS (
       INSERT INTO api_key_retired_secrets (hash, api_key_id, secret_number, valid_until)
       SELECT hash, id, secret_number, now() + $3::float8 * interval '1 ms' FROM api_keys k
        WHERE id = $1::uuid AND NOT EXISTS (
                SELECT FROM api_key_retired_secrets r WHERE r.api_key_id = k.id AND r.valid_until > now())
       RETURNING api_key_id, secret_number, valid_until),
     rotated AS (
       UPDATE api_keys k SET hash = $2, secret_number = k.secret_number + 1
         FROM retired WHERE k.id = retired.api_key_id)
     INSERT INTO api_key_changes (api_key_id, kind, secret_number, ends_at)
     SELECT api_key_id, 'rotated', secret_number, valid_until FROM retired`,
    [typeIdToUuid('key', o.id), o.hash, o.overlapMs],
  )
  return rowCount === 1
}

/**
 * Revokes a key (`key_…`) and writes it into the feed, both in the caller's transaction. False when there is no such key, or
 * it is revoked already. By primary key.
 */
export async function revokeApiKey(tx: Transaction, o: { readonly id: string }): Promise<boolean> {
  const uuid = parseTypeId('key', o.id)?.toString('hex')
  if (uuid === undefined) return false
  await lockApiKeyChanges(tx)
  const { rowCount } = await tx.query(
    `WITH revoked AS (UPDATE api_keys SET revoked_at = now() WHERE id = $1::uuid AND revoked_at IS NULL RETURNING id)
     INSERT INTO api_key_changes (api_key_id, kind) SELECT id, 'revoked' FROM revoked`,
    [uuid],
  )
  return rowCount === 1
}

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

/** Removes at most `rowsMax` keys that were revoked 35 days ago; the hashes of their secrets stay. Gives how many. By index api_keys_revoked. */
export async function deleteRevokedApiKeys(db: Queryable, rowsMax: number): Promise<number> {
  return await callFunction(db, 'delete_revoked_api_keys', [rowsMax])
}
