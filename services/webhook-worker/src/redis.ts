import { Redis } from 'ioredis'
import { Fault, type ClientTls, type Logger } from '@ariftly/runtime'

/** Where Redis is: `redis://[user:password@]host:port`, or `rediss://` with `tls`. */
export interface RedisAddress {
  readonly url: string
  readonly tls?: ClientTls
}

/** The commands of a client wait at most this long for an answer; blocking ones are another client's. */
const COMMAND_MS_MAX = 5000

/** A client whose commands fail at once while Redis is away: for adding jobs, which Postgres can plan again. */
export function connectFailFast({ url, tls }: RedisAddress, log: Pick<Logger, 'warn'>): Redis {
  return watch(
    new Redis(url, {
      ...(tls === undefined ? {} : { tls }),
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      commandTimeout: COMMAND_MS_MAX,
      connectTimeout: 2000,
      retryStrategy,
    }),
    log,
  )
}

/** A client whose commands wait until Redis is back: for workers, which BullMQ wants so. */
export function connectPatient({ url, tls }: RedisAddress, log: Pick<Logger, 'warn'>): Redis {
  const options = { maxRetriesPerRequest: null, connectTimeout: 2000, retryStrategy }
  return watch(new Redis(url, tls === undefined ? options : { ...options, tls }), log)
}

/**
 * Throws Fault `redis_policy` unless Redis is set to refuse writes when it is full (`maxmemory-policy noeviction`): any
 * other policy would drop jobs and parts of queues at random.
 */
export async function checkPolicy(redis: Redis): Promise<void> {
  const memory = await redis.info('memory')
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]
  if (policy === undefined || policy === 'noeviction') return
  throw new Fault({ code: 'redis_policy', message: `Redis has maxmemory-policy ${policy}, it must be noeviction` })
}

function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 1000)
}

/** ioredis throws what nobody listens to; a line a change of state is enough, as it tries several times a second. */
function watch(redis: Redis, log: Pick<Logger, 'warn'>): Redis {
  let told = false
  redis.on('ready', () => {
    told = false
  })
  redis.on('error', (error: Error) => {
    if (told) return
    told = true
    log.warn({ err: error }, 'redis cannot be reached')
  })
  return redis
}
