import { createHash } from 'node:crypto'
import { Problem, type ApiCall } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import type { Transaction } from '@ariftly/store'
import { beginIdempotent, keepAnswer, type IdempotentRequest, type KeptAnswer } from '@ariftly/store/idempotency'
import type { Request } from 'express'
import type { WriteAnswer } from './write-handler.ts'

/**
 * The request as its `Idempotency-Key` names it; undefined without one. The path includes the query.
 * @throws Problem 400 for a header that is not 1 to 255 visible ASCII characters.
 */
export function readIdempotentRequest({ caller, url, body }: ApiCall, req: Request): IdempotentRequest | undefined {
  const key = req.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) throw badKey()
  const bodyHash = createHash('sha256').update(jsonOf(body)).digest()
  return { keyId: caller.keyId, key, method: req.method, path: url, bodyHash }
}

/**
 * Empty without a body. One that is nested too deeply to be written is a text that is not JSON, as no other body: no route takes it,
 * and only answers of success are kept.
 */
function jsonOf(body: unknown): string {
  try {
    return JSON.stringify(body) ?? ''
  } catch (error) {
    if (error instanceof RangeError) return TOO_DEEP
    throw error
  }
}

const TOO_DEEP = 'too deep'

/**
 * Takes the key for this transaction, and gives the answer that is kept under it; undefined when the request is new.
 * @throws Problem 422 when the key was used for another request; 409 while another request with it is running, or when the kept answer
 * cannot be opened any more.
 */
export async function findKeptAnswer(
  tx: Transaction,
  request: IdempotentRequest,
  keyring: Pick<Keyring, 'open'>,
): Promise<WriteAnswer | undefined> {
  const start = await beginIdempotent(tx, request)
  if (start.type === 'in_use') throw inUse()
  if (start.type === 'reused') throw reused()
  return start.type === 'new' ? undefined : openAnswer(request, start.kept, keyring)
}

function openAnswer(request: IdempotentRequest, kept: KeptAnswer, keyring: Pick<Keyring, 'open'>): WriteAnswer {
  const plain = keyring.open(kept.answer, aadOf(request))
  if (plain === undefined) throw lost(kept.status)
  const { headers, body } = JSON.parse(plain.toString('utf8')) as Pick<WriteAnswer, 'headers' | 'body'>
  return {
    status: kept.status as WriteAnswer['status'],
    headers: { ...headers, 'Idempotent-Replayed': 'true' },
    ...(body === undefined ? {} : { body }),
  }
}

/** Keeps an answer under the request's key, sealed, in the transaction of its effect. */
export async function keepAnswerOf(
  tx: Transaction,
  request: IdempotentRequest,
  { status, headers, body }: WriteAnswer,
  keyring: Pick<Keyring, 'seal'>,
): Promise<void> {
  const answer = keyring.seal(Buffer.from(JSON.stringify({ headers, body })), aadOf(request))
  await keepAnswer(tx, request, { status, answer })
}

function aadOf({ keyId, key }: IdempotentRequest): string {
  return `idempotency:${keyId}:${key}`
}

function badKey(): Problem {
  const message = 'must be 1 to 255 visible ASCII characters, once'
  return new Problem(400, 'invalid_parameter', {
    detail: 'Cannot read: Idempotency-Key.',
    errors: [{ parameter: 'Idempotency-Key', code: 'invalid_parameter', message }],
  })
}

function inUse(): Problem {
  return new Problem(409, 'idempotency_key_in_use', {
    detail: 'A request with this Idempotency-Key is still running.',
    headers: { 'Retry-After': '1' },
  })
}

function reused(): Problem {
  return new Problem(422, 'idempotency_key_reused', {
    detail: 'This Idempotency-Key was used for another request: another method, path or body.',
  })
}

/** For an answer whose key is no longer in `ENCRYPTION_KEYS`. */
function lost(status: number): Problem {
  return new Problem(409, 'idempotent_answer_lost', {
    detail: `The first request with this Idempotency-Key was answered with ${status} and has had its effect. Its answer can no longer be read.`,
  })
}
