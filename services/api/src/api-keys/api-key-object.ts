import type { Caller } from '@ariftly/http'
import type { ApiKeyRow } from '@ariftly/store/api-keys'

/** An API key as the API shows it; without the key itself, which is shown once. */
export function apiKeyObject(row: ApiKeyRow): Record<string, unknown> {
  return {
    object: 'api_key',
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    scopes: row.scopes,
    quota: quotaObject(row.quota),
    expires_at: isoOf(row.expiresAtMs),
    last_used_at: isoOf(row.lastUsedAtMs),
    created_at: isoOf(row.createdAtMs),
  }
}

/** A key that was just made or rotated: with its secret, which is shown this once. */
export function newApiKeyObject(row: ApiKeyRow, key: string): Record<string, unknown> {
  const { object, id, ...rest } = apiKeyObject(row)
  return { object, id, key, ...rest }
}

/** The key that calls, as far as the authenticator knows it: this must work while Postgres is away. */
export function currentApiKeyObject(caller: Caller): Record<string, unknown> {
  return {
    object: 'api_key',
    id: caller.keyId,
    tenant: caller.tenant,
    scopes: caller.scopes,
    quota: quotaObject(caller.quota),
    expires_at: isoOf(caller.expiresAtMs),
  }
}

function quotaObject(quota: Caller['quota']): Record<string, number | null> {
  return { events_per_s: quota.eventsPerS, bytes_per_s: quota.bytesPerS }
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
