import { types } from 'node:util'
import { backoffMs, Fault, messageOf, sleep, type Logger } from '@ariftly/runtime'

/** What `migrate` needs of its process. */
export interface MigrateDeps {
  readonly log: Logger
  /** Ends the waiting for backends that are away. */
  readonly signal: AbortSignal
  /** How long backends that are away are waited for; default 60 s. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 60_000

/**
 * Does `work`; while it fails because the backend cannot be reached or is still starting, again and again, until the patience or the
 * signal ends. Every other failure (wrong password, a broken migration) is thrown at once.
 * @throws Fault `backend_away`.
 */
export async function waitFor<T>(backend: string, work: () => Promise<T>, deps: MigrateDeps): Promise<T> {
  const end = performance.now() + (deps.patienceMs ?? PATIENCE_MS)
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error)) throw error
      if (deps.signal.aborted || performance.now() >= end) {
        throw new Fault({
          code: 'backend_away',
          message: `${backend} cannot be reached: ${messageOf(error)}`,
          cause: error,
        })
      }
      deps.log.warn({ backend, reason: messageOf(error) }, 'a backend is away, waiting')
      await sleep(backoffMs(attempt, { maxMs: 2000 }), deps.signal)
    }
  }
}

const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  '57P01', // Postgres is being shut down,
  '57P03', // or is starting.
  'kafka_unavailable',
  'topic_missing',
])

/** Errors of kafkajs have no code, and wrap what happened on the connection. */
const AWAY_NAMES = /^KafkaJS(?:Connection|ConnectionClosed|RequestTimeout|NumberOfRetriesExceeded|BrokerNotFound)/

function isAway(error: unknown): boolean {
  if (!types.isNativeError(error)) return false
  const { code } = error as { code?: unknown }
  // What our pool throws also stands for a wrong password.
  if (code === 'store_unavailable') return isAway(error.cause)
  if (typeof code === 'string' && AWAY_CODES.has(code)) return true
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isAway) // Every address of a host was tried.
  return AWAY_NAMES.test(error.name) || /timeout expired|Connection terminated/.test(error.message)
}
