import { tenantSuspended } from '@ariftly/auth'
import { newTypeId } from '@ariftly/events'
import { readQuery, routeOf, sendJson, type ApiCall, type ApiHandler, type RouteName } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import type { Logger } from '@ariftly/runtime'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import { insertAuditEntry } from '@ariftly/store/audit'
import { deletedTenants } from '@ariftly/store/tenants'
import type { Request, Response } from 'express'
import { mapHandlers } from '../map-handlers.ts'
import { findKeptAnswer, keepAnswerOf, readIdempotentRequest } from './idempotency.ts'
import type { WriteAnswer, WriteHandler } from './write-handler.ts'

interface WritesOptions {
  readonly pool: Pool
  /** Seals answers that are kept, as they may hold secrets. */
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly log: Pick<Logger, 'warn'>
}

/**
 * Makes route handlers of write handlers. The effect, its audit entry and the answer stored under an `Idempotency-Key` are one
 * transaction; the answer is sent after the commit, even if a later step fails. Nothing is written for a caller whose tenant
 * is deleted or being deleted: 403, even with a cached key.
 */
export function createWrites(
  o: WritesOptions,
): <N extends RouteName>(handlers: Readonly<Record<N, WriteHandler>>) => Readonly<Record<N, ApiHandler>> {
  return (handlers) => mapHandlers(handlers, (handler, name) => writing(o, handler, routeOf(name).idempotent === true))
}

function writing(o: WritesOptions, handler: WriteHandler, idempotent: boolean): ApiHandler {
  return async function write(call: ApiCall, req: Request, res: Response): Promise<void> {
    // No write has parameters.
    readQuery(call.url, {})
    const request = idempotent ? readIdempotentRequest(call, req) : undefined
    const answer = await withTransaction(o.pool, async (tx) => {
      const kept = request === undefined ? undefined : await findKeptAnswer(tx, request, o.keyring)
      if (kept !== undefined) return kept
      const made = await handler(call, tx)
      await audit(tx, call, made)
      if (request !== undefined) await keepAnswerOf(tx, request, made, o.keyring)
      await refuseDeleted(tx, call.caller.tenant)
      return made
    })
    await answer
      .after?.()
      .catch((error: unknown) => o.log.warn({ err: error }, 'the step after a committed write failed'))
    if (answer.body === undefined)
      res
        .status(answer.status)
        .set(answer.headers ?? {})
        .end()
    else sendJson(res, answer.status, answer.body, answer.headers)
  }
}

/** After the writes of the transaction, so that a deletion of the tenant that begins later waits for its end. */
async function refuseDeleted(tx: Transaction, tenant: string): Promise<void> {
  if ((await deletedTenants(tx, [tenant])).size > 0) throw tenantSuspended()
}

async function audit(tx: Transaction, { caller, context }: ApiCall, answer: WriteAnswer): Promise<void> {
  if (answer.audit === undefined) return
  const { keyId } = caller
  const { requestId } = context
  const changes = JSON.stringify(answer.audit.changes)
  await insertAuditEntry(tx, { ...answer.audit, id: newTypeId('aud'), keyId, requestId, changes })
}
