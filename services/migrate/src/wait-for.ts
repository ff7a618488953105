import { types } from 'node:util'
import { backoffMs, Fault, messageOf, sleep, type Logger } from '@ariftly/runtime'

/** The parts of its process that `migrate` uses. */
export interface MigrateDeps {
  readonly log: Logger
  /** Ends the wait for unavailable backends. */
  readonly signal: AbortSignal
  /** How long to wait for unavailable backends; default 60 s. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 60_000

/**
 * Runs `work` and retries it while the backend is unreachable or still starting, until the patience or the signal ends. Any
 * other failure (wrong password, a broken migration) is thrown immediately.
 * @throws Fault `backend_away`.
 */
export async function waitFor<T>(backend: string, work: () => Promise<T>, deps: MigrateDeps): Promise<T> {
  const end = performance.now() + (deps.patienceMs ?? PATIENCE_MS)
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error)) throw error
      if (deps.signal.aborted || performance.now() >= end) {
        throw new Fault({
          code: 'backend_away',
          message: `${backend} cannot be reached: ${messageOf(error)}`,
          cause: error,
        })
      }
      deps.log.warn({ backend, reason: messageOf(error) }, 'a backend is unavailable, waiting')
      await sleep(backoffMs(attempt, { maxMs: 2000 }), deps.signal)
    }
  }
}

const UNAVAILABLE_CODES = new Set([
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

function isUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error)) return false
  const { code } = error as { code?: unknown }
  // Our pool throws the same fault for a wrong password, so the cause decides.
  if (code === 'store_unavailable') return isUnavailable(error.cause)
  if (typeof code === 'string' && UNAVAILABLE_CODES.has(code)) return true
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isUnavailable) // Every address of a host was tried.
  return AWAY_NAMES.test(error.name) || /timeout expired|Connection terminated/.test(error.message)
}
