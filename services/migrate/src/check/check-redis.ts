import { messageOf } from '@ariftly/runtime'
import { Redis } from 'ioredis'
import type { SecureContext } from 'node:tls'
import { unreachable, type Finding } from './finding.ts'

/** Streams and functions that BullMQ uses exist since this version. */
const VERSION_MIN = [6, 2] as const

/** Checks that Redis answers, its version, and that it never evicts keys of the queues. */
export async function checkRedis(o: {
  readonly url: string
  readonly tls?: { readonly secureContext: SecureContext }
}): Promise<readonly Finding[]> {
  const redis = new Redis(o.url, {
    ...(o.tls === undefined ? {} : { tls: o.tls }),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
  })
  let lastError: unknown
  redis.on('error', (error) => (lastError = error))
  try {
    await redis.connect()
    return findingsOfInfo(await redis.info())
  } catch (error) {
    return [unreachable('redis', messageOf(lastError ?? error), 'REDIS_URL and REDIS_TLS…')]
  } finally {
    redis.disconnect()
  }
}

/** Findings of the answer to INFO: policy, version, role, memory. */
export function findingsOfInfo(info: string): readonly Finding[] {
  const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
  const findings: Finding[] = []
  const add = (severity: Finding['severity'], message: string, remedy: string) =>
    findings.push({ backend: 'redis', severity, message, remedy })
  const policy = read('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    add(
      'error',
      `maxmemory-policy is ${policy}.`,
      'Set maxmemory-policy to noeviction (ElastiCache: a parameter group of your own).',
    )
  }
  const version = read('redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1])) {
    add('error', `Redis is ${version}.`, `Upgrade to Redis ${VERSION_MIN.join('.')} or Valkey 7.2.`)
  }
  if (read('role') === 'slave') add('error', 'The server is a replica.', 'Point REDIS_URL at the primary.')
  if (read('aof_enabled') === '0' && read('maxmemory') === '0') {
    add(
      'warning',
      'maxmemory is not set.',
      'Set maxmemory below the memory of the server, so that it refuses writes before it is killed.',
    )
  }
  return findings
}
