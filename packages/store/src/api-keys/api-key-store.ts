import type { Queryable } from '../queryable.ts'
import type { ApiKeySecret } from './api-key-secret.ts'
import { findApiKeyByHash } from './find-api-key-by-hash.ts'
import { findApiKeyById } from './find-api-key-by-id.ts'
import { latestApiKeyChange } from './latest-api-key-change.ts'
import { readApiKeyChanges, type ApiKeyChanges } from './read-api-key-changes.ts'
import { touchApiKeys } from './touch-api-keys.ts'

/** What an authenticator asks of Postgres. */
export interface ApiKeyStore {
  readonly lookup: (hash: Buffer) => Promise<ApiKeySecret | undefined>
  readonly lookupById: (id: string, secret: number) => Promise<ApiKeySecret | undefined>
  readonly latestChange: () => Promise<number>
  readonly changesSince: (seq: number) => Promise<ApiKeyChanges>
  /** Notes when keys were last used. */
  readonly touch: (uses: readonly { readonly id: string; readonly usedAtMs: number }[]) => Promise<void>
}

/** The keys of one database, as an authenticator looks them up and follows their changes. */
export function createApiKeyStore(db: Queryable): ApiKeyStore {
  return {
    lookup: (hash) => findApiKeyByHash(db, hash),
    lookupById: (id, secret) => findApiKeyById(db, { id, secret }),
    latestChange: () => latestApiKeyChange(db),
    changesSince: (afterSeq) => readApiKeyChanges(db, { afterSeq }),
    touch: (uses) => touchApiKeys(db, uses),
  }
}
