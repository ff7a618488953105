import { typeIdToUuid } from '@ariftly/events'
import type { Queryable, Transaction } from './queryable.ts'

/** A request under an idempotency key. */
export interface IdempotentRequest {
  /** The API key that calls, `key_…`. */
  readonly keyId: string
  /** The `Idempotency-Key`. */
  readonly key: string
  readonly method: string
  readonly path: string
  /** SHA-256 of the body, 32 bytes. */
  readonly bodyHash: Buffer
}

/** The answer that is kept. */
export interface KeptAnswer {
  readonly status: number
  /** Sealed. */
  readonly answer: Buffer
}

/** What is known of an idempotency key. */
export type IdempotentStart =
  | { readonly type: 'new' }
  /** Another transaction that has the key is not finished. */
  | { readonly type: 'in_use' }
  /** The key was used for another request. */
  | { readonly type: 'reused' }
  | { readonly type: 'answered'; readonly kept: KeptAnswer }

/** How long an answer is kept. */
const KEPT = `interval '24 hours'`

/**
 * Takes an idempotency key until the transaction ends. A process that dies loses its transaction, and with it the key.
 * By primary key.
 */
export async function beginIdempotent(tx: Transaction, request: IdempotentRequest): Promise<IdempotentStart> {
  const { keyId, key } = request
  const locked = await tx.query<{ free: boolean }>(
    `SELECT pg_try_advisory_xact_lock(hashtextextended('ariftly idempotency ' || $1 || ' ' || $2, 0)) AS free`,
    [keyId, key],
  )
  if (locked.rows[0]?.free !== true) return { type: 'in_use' }
  const { rows } = await tx.query<{ same: boolean; status: number; answer: Buffer }>(
    `SELECT method = $3 AND path = $4 AND body_hash = $5 AS same, status, answer FROM idempotency_keys
      WHERE api_key_id = $1::uuid AND key = $2 AND created_at > now() - ${KEPT}`,
    [typeIdToUuid('key', keyId), key, request.method, request.path, request.bodyHash],
  )
  const [row] = rows
  if (row === undefined) return { type: 'new' }
  return row.same ? { type: 'answered', kept: { status: row.status, answer: row.answer } } : { type: 'reused' }
}

/** Keeps the answer of a request that {@link beginIdempotent} found new, in its transaction. */
export async function keepAnswer(tx: Transaction, request: IdempotentRequest, kept: KeptAnswer): Promise<void> {
  // An expired one may be in the way.
  await tx.query('DELETE FROM idempotency_keys WHERE api_key_id = $1::uuid AND key = $2', [
    typeIdToUuid('key', request.keyId),
    request.key,
  ])
  await tx.query(
    `INSERT INTO idempotency_keys (api_key_id, key, method, path, body_hash, status, answer)
     VALUES ($1::uuid, $2, $3, $4, $5, $6, $7)`,
    [
      typeIdToUuid('key', request.keyId),
      request.key,
      request.method,
      request.path,
      request.bodyHash,
      kept.status,
      kept.answer,
    ],
  )
}

/** Deletes up to `limit` answers that were kept for long enough. Gives their number. By `idempotency_keys_created`. */
export async function deleteExpiredAnswers(db: Queryable, { limit }: { limit: number }): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (
       SELECT api_key_id, key FROM idempotency_keys WHERE created_at <= now() - ${KEPT}
        ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  )
  return rowCount ?? 0
}
