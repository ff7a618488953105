import { FailureLog } from '@ariftly/async'
import { Cluster, Redis, type ClusterNode, type RedisOptions } from 'ioredis'
import { Fault, type Logger, type RedisAddress } from '@ariftly/runtime'

/** One Redis, one that Sentinels know, or a Redis Cluster. */
export type RedisClient = Redis | Cluster

/**
 * The longest that commands wait for an answer. A connection that is silent for longer while an answer is due is closed and opened
 * again: a host that vanished sends no reset, and TCP alone would wait some 15 minutes.
 */
const SILENT_MS_MAX = 5000
/** The same where commands block, for 10 s at most in BullMQ: it gives up each of them a second after its end. */
const BLOCKED_MS_MAX = 11_000
/** The longest that a worker without jobs blocks in one command, in seconds. */
export const BLOCK_S_MAX = 8
/** The form of replies is not a setting here. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>

/** BullMQ is tested with this protocol. */
const RESP2 = { protocol: 2 } as const

/** A client whose commands fail at once while Redis is unavailable: for adding jobs, which Postgres can plan again. */
export function connectFailFast(address: RedisAddress, log: Pick<Logger, 'warn'>): RedisClient {
  const options = { maxRetriesPerRequest: 1, commandTimeout: SILENT_MS_MAX, socketTimeout: SILENT_MS_MAX }
  return watch(connect(address, { ...options, enableOfflineQueue: false }), log)
}

/**
 * A client whose commands wait until Redis is back: for workers, which BullMQ wants so. It duplicates itself for each of them, on which
 * commands may block.
 */
export function connectPatient(address: RedisAddress, log: Pick<Logger, 'warn'>): RedisClient {
  const redis = connect(address, { maxRetriesPerRequest: null, socketTimeout: SILENT_MS_MAX })
  if (redis instanceof Cluster) {
    const duplicate = redis.duplicate.bind(redis)
    redis.duplicate = (nodes, options) =>
      duplicate(nodes, { ...options, redisOptions: { ...options?.redisOptions, socketTimeout: BLOCKED_MS_MAX } })
  } else {
    const duplicate = redis.duplicate.bind(redis)
    redis.duplicate = (options) => duplicate({ ...options, socketTimeout: BLOCKED_MS_MAX })
  }
  return watch(redis, log)
}

/**
 * Throws Fault `redis_policy` unless each Redis is set to refuse writes when it is full (`maxmemory-policy noeviction`): any
 * other policy would drop jobs and parts of queues at random.
 */
export async function checkPolicy(redis: RedisClient): Promise<void> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis]
  for (const node of nodes) {
    const memory = await node.info('memory')
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]
    if (policy === undefined || policy === 'noeviction') continue
    throw new Fault({ code: 'redis_policy', message: `Redis has maxmemory-policy ${policy}, it must be noeviction` })
  }
}

/** The fault of what needs a Redis that cannot be used now. */
export function redisFault(message: string): Fault {
  return new Fault({ code: 'redis_unavailable', message, retryable: true })
}

function connect(address: RedisAddress, own: ConnectionOptions): RedisClient {
  const { url, tls, mode } = address
  const options: ConnectionOptions = {
    ...own,
    ...RESP2,
    ...(tls === undefined ? {} : { tls }),
    connectTimeout: 2000,
    keepAlive: 5000,
    retryStrategy,
    reconnectOnError: isReadOnly,
  }
  if (mode === 'single') return new Redis(url, options)
  const { hostname, port, username, password, pathname } = new URL(url)
  const login = {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
  const nodes = address.nodes.map(toNode)
  if (mode === 'sentinel') {
    const db = Number(pathname.slice(1))
    const ofSentinels = tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }
    return new Redis({ ...options, ...login, db, sentinels: nodes, name: address.sentinelName, ...ofSentinels })
  }
  const { enableOfflineQueue = true, ...redisOptions } = options
  return new Cluster([{ host: hostname, port: Number(port === '' ? 6379 : port) }, ...nodes], {
    redisOptions: { ...redisOptions, ...login },
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: 5000,
    // Certificates name hosts: a node's name is not resolved before TLS checks it.
    ...(tls === undefined ? {} : { dnsLookup: (host, resolved) => resolved(null, host) }),
  })
}

function toNode(address: string): { host: string; port: number } & ClusterNode {
  const { hostname, port } = new URL(`redis://${address}`)
  return { host: hostname, port: Number(port === '' ? 6379 : port) }
}

/**
 * Whether a connection is to be opened again: after a failover behind one name, connections to the previous primary stay open, which
 * is a replica and refuses writes. The command itself fails.
 */
function isReadOnly(error: Error): boolean {
  return error.message.includes('READONLY')
}

function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 1000)
}

/** ioredis throws what no listener takes; one line a change of state is enough, as it tries several times a second. */
function watch(redis: RedisClient, log: Pick<Logger, 'warn'>): RedisClient {
  const failures = new FailureLog({ log, failing: 'Redis cannot be reached' })
  redis.on('ready', () => failures.succeeded())
  redis.on('error', (error: Error) => failures.failed(error))
  return redis
}
