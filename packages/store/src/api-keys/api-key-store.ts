import type { Queryable } from '../queryable.ts'
import { findApiKeysByHash, findApiKeysById, type ApiKeySecret } from './find-api-keys.ts'
import { latestApiKeyChange, readApiKeyChanges, type ApiKeyChanges } from './api-key-changes.ts'
import { touchApiKeys } from './api-keys.ts'

/** What an authenticator asks of Postgres. */
export interface ApiKeyStore {
  /** By SHA-256, in the order of the hashes. */
  readonly lookup: (hashes: readonly Buffer[]) => Promise<readonly (ApiKeySecret | undefined)[]>
  /** By id and number of the secret, in the order of the arguments. */
  readonly lookupById: (
    secrets: readonly { readonly keyId: string; readonly secret: number }[],
  ) => Promise<readonly (ApiKeySecret | undefined)[]>
  readonly latestChange: () => Promise<number>
  readonly changesSince: (seq: number) => Promise<ApiKeyChanges>
  /** Notes when keys were last used. */
  readonly touch: (uses: readonly { readonly id: string; readonly usedAtMs: number }[]) => Promise<void>
}

/** The keys of one database and the feed of their changes, for an authenticator. */
export function createApiKeyStore(db: Queryable): ApiKeyStore {
  return {
    lookup: (hashes) => findApiKeysByHash(db, hashes),
    lookupById: (secrets) => findApiKeysById(db, secrets),
    latestChange: () => latestApiKeyChange(db),
    changesSince: (afterSeq) => readApiKeyChanges(db, { afterSeq }),
    touch: (uses) => touchApiKeys(db, uses),
  }
}
