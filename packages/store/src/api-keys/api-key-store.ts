import type { Queryable } from '../queryable.ts'
import type { ApiKeyRow } from './api-key-row.ts'
import { findApiKeyByHash } from './find-api-key-by-hash.ts'
import { findApiKeyById } from './find-api-key-by-id.ts'
import { latestApiKeyChange } from './latest-api-key-change.ts'
import { readApiKeyChanges, type ApiKeyChanges } from './read-api-key-changes.ts'

/** What an authenticator asks of Postgres. */
export interface ApiKeyStore {
  readonly lookup: (hash: Buffer) => Promise<ApiKeyRow | undefined>
  readonly lookupById: (id: string) => Promise<ApiKeyRow | undefined>
  readonly latestChange: () => Promise<number>
  readonly changesSince: (seq: number) => Promise<ApiKeyChanges>
}

/** The keys of one database, as an authenticator looks them up and follows their changes. */
export function createApiKeyStore(db: Queryable): ApiKeyStore {
  return {
    lookup: (hash) => findApiKeyByHash(db, hash),
    lookupById: (id) => findApiKeyById(db, id),
    latestChange: () => latestApiKeyChange(db),
    changesSince: (afterSeq) => readApiKeyChanges(db, { afterSeq }),
  }
}
