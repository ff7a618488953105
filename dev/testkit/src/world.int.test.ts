import { Redis } from 'ioredis'
import { expect, test } from '@jest/globals'
import { startOwnStack } from './own-stack.ts'
import { createWorld } from './world.ts'

test('two worlds share no database, topic, group or queue, and their services may not change events', async () => {
  const [one, other] = await Promise.all([createWorld(), createWorld({ partitions: 1 })])
  try {
    for (const name of ['DATABASE_URL', 'KAFKA_TOPIC', 'KAFKA_DLQ_TOPIC', 'KAFKA_GROUP_PREFIX', 'BULLMQ_PREFIX']) {
      expect(one.env[name]).not.toBe(other.env[name])
    }
    expect(await one.apiKey('acme')).not.toBe(await one.apiKey('acme'))
    const { rows } = await one.admin.query('SELECT count(*) AS n FROM api_keys')
    expect(rows).toEqual([{ n: 2 }])
    const { rows: none } = await other.admin.query('SELECT count(*) AS n FROM api_keys')
    expect(none).toEqual([{ n: 0 }])
  } finally {
    await Promise.all([one.close(), other.close()])
  }
})

test('a stack of its own keeps what Kafka, Postgres and Redis hold over a kill and a restart', async () => {
  const stack = await startOwnStack()
  try {
    const world = await createWorld({ addresses: stack.addresses, partitions: 2 })
    world.admin.on('error', () => undefined)
    await world.apiKey('acme')
    await onRedis(stack.addresses.redis, (redis) => redis.set('kept', 'yes'))
    await Promise.all([stack.kafka?.kill(), stack.postgres?.restart(), stack.redis?.restart()])
    await stack.kafka?.start()
    const { rows } = await world.admin.query('SELECT tenant_id FROM api_keys')
    expect(rows).toEqual([{ tenant_id: 'acme' }])
    expect(await onRedis(stack.addresses.redis, (redis) => redis.get('kept'))).toBe('yes')
    await world.close() // Deletes topics that Kafka must still have.
  } finally {
    await stack.close()
  }
})

async function onRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}
