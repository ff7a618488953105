import { createHash } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { insertApiKey } from './insert-api-key.ts'

/**
 * Stores ARIFTLY_BOOTSTRAP_KEY as a key of tenant `default` with all scopes. False when it stands already: seeding again
 * changes nothing, and a bootstrap key that was revoked stays so.
 */
export async function seedBootstrapKey(db: Queryable, key: string, nowMs: number = Date.now()): Promise<boolean> {
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
