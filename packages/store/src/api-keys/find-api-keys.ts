import { parseTypeId } from '@ariftly/events'
import { defineRow, plain, timeOrNull, type RowOf } from '../define-row.ts'
import { plainArray } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { API_KEY_MEMBERS } from './api-keys.ts'

const limit = (name: string) => plain<number | null>({ name: `tenant_${name}`, sql: `t.${name}` })

/** A row of `api_keys k LEFT JOIN tenants t`, and `s` with the number and the end of a secret. */
const secretRow = defineRow('k', {
  ...API_KEY_MEMBERS,
  /** 1 for the first secret; each rotation adds 1. */
  secret: plain<number>({ sql: 's.secret' }),
  /** When this secret stops: the end of a rotation's overlap. Null for the newest one. */
  secretEndsAtMs: timeOrNull({ sql: 's.secret_ends_at' }),
  tenantState: plain<'active' | 'suspended' | 'deleting' | 'deleted'>({ sql: `coalesce(t.state, 'active')` }),
  /** Null is the default. */
  limits: { eventsPerS: limit('events_per_s'), streams: limit('streams'), webhooks: limit('webhooks') },
})

/** A key, which of its secrets was looked up, and what its tenant is allowed. */
export type ApiKeySecret = RowOf<typeof secretRow>

/**
 * The keys one of whose secrets has one of these SHA-256, in the order of the hashes, also when a key is revoked or expired, or a
 * secret was retired; undefined for a hash of none. By the unique indexes on `hash`; one hash is never in both tables.
 */
export async function findApiKeysByHash(
  db: Queryable,
  hashes: readonly Buffer[],
): Promise<readonly (ApiKeySecret | undefined)[]> {
  const { rows } = await db.query<{ readonly hash: Buffer }>({
    name: 'find-api-keys-by-hash',
    text: `SELECT ${secretRow.columns}, s.hash
             FROM (SELECT hash, id, secret_number AS secret, NULL::timestamptz AS secret_ends_at
                     FROM api_keys WHERE hash = ANY ($1::bytea[])
                   UNION ALL
                   SELECT hash, api_key_id, secret_number, valid_until
                     FROM api_key_retired_secrets WHERE hash = ANY ($1::bytea[])) s
             JOIN api_keys k ON k.id = s.id
             LEFT JOIN tenants t ON t.id = k.tenant_id`,
    values: [hashes],
  })
  const found = new Map(rows.map((row) => [row.hash.toString('base64'), secretRow.read(row)]))
  return hashes.map((hash) => found.get(hash.toString('base64')))
}

/**
 * The keys of ids (`key_…`) with one of their secrets by number, in the order of the arguments, revoked and expired keys and
 * retired secrets too; undefined for an unknown id or number. By primary key.
 */
export async function findApiKeysById(
  db: Queryable,
  secrets: readonly { readonly keyId: string; readonly secret: number }[],
): Promise<readonly (ApiKeySecret | undefined)[]> {
  const asked = secrets.flatMap(({ keyId, secret }) => {
    const uuid = parseTypeId('key', keyId)?.toString('hex')
    return uuid === undefined ? [] : [{ uuid, secret }]
  })
  const { rows } = await db.query({
    name: 'find-api-keys-by-id',
    text: `SELECT ${secretRow.columns}
             FROM (SELECT a.id, a.secret, r.valid_until AS secret_ends_at, r.hash IS NOT NULL AS retired
                     FROM unnest($1::uuid[], $2::int[]) AS a (id, secret)
                     LEFT JOIN api_key_retired_secrets r ON r.api_key_id = a.id AND r.secret_number = a.secret) s
             JOIN api_keys k ON k.id = s.id
             LEFT JOIN tenants t ON t.id = k.tenant_id
            WHERE k.secret_number = s.secret OR s.retired`,
    values: [plainArray(asked.map(({ uuid }) => uuid)), plainArray(asked.map(({ secret }) => secret))],
  })
  const found = new Map(rows.map(secretRow.read).map((key) => [`${key.id} ${key.secret}`, key]))
  return secrets.map(({ keyId, secret }) => found.get(`${keyId} ${secret}`))
}
