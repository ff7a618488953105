import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { encodeRecord, partitionOf, type LogEvent } from '@ariftly/events'
import { scanLog } from '@ariftly/kafka'
import { createMetrics, type Metrics, type Running } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { currentEpoch, openEpoch, readPositions } from '@ariftly/store/projection'
import { createWorld, eventually, startInProcess, type World } from '@ariftly/testkit'
import { decodeBatch } from './decode-batch.ts'
import { createEventPartitions } from './event-partitions.ts'
import { projectorConfig, start } from './service.ts'
import { batchOf, event } from './test-batches.ts'
import { writeBatches } from './write-batches.ts'

const PARTITIONS = 3

let world: World
let metrics: Metrics
let running: Running[] = []

beforeEach(async () => {
  world = await createWorld({ partitions: PARTITIONS })
  metrics = createMetrics()
})

afterEach(async () => {
  await Promise.all(running.map((service) => service.close()))
  running = []
  await world.close()
})

async function startProjector(): Promise<Running> {
  const env = { ...world.env, KAFKA_SESSION_TIMEOUT_MS: '6000' }
  const service = await startInProcess({ config: projectorConfig, start }, env, { metrics, untilReady: false })
  running.push(service)
  return service
}

const post = (...events: readonly LogEvent[]): Promise<void> => world.append(events)

async function rows(): Promise<readonly string[]> {
  const result = await world.admin.query<{ message: string }>(
    `SELECT data->>'message' AS message FROM events ORDER BY partition, "offset"`,
  )
  return result.rows.map(({ message }) => message)
}

async function holds(expectation: () => Promise<void>): Promise<void> {
  await eventually('the expectation holds', async () => {
    await expectation()
    return true
  })
}

async function counted(name: string): Promise<number> {
  const line = (await metrics.render()).split('\n').find((text) => text.startsWith(name))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

async function deadLetters() {
  const letters = []
  for await (const records of scanLog(world.kafka(), {
    topic: world.topics.dlqTopic,
    partition: 0,
    from: 0,
    to: 1_000,
  })) {
    letters.push(...records)
  }
  return letters.map(({ headers, value }) => ({
    reason: String(headers['dlq_reason']),
    partition: Number(headers['dlq_partition']),
    offset: Number(headers['dlq_offset']),
    value: value?.toString() ?? null,
  }))
}

async function dropPartitions(): Promise<void> {
  const { rows: partitions } = await world.admin.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass`,
  )
  await world.admin.query(`DROP TABLE ${partitions.map(({ name }) => name).join()}`)
}

/** Sessions of the pool `test` that wait for a lock. */
async function waitingSessions(): Promise<number> {
  const { rowCount } = await world.admin.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'test' AND wait_event_type = 'Lock'`,
  )
  return rowCount ?? 0
}

describe('projector', () => {
  test('stores each event once for any number of posts, with the bytes of its data', async () => {
    const events = Array.from({ length: 200 }, (_, i) => event(`task_${i % 20}`, `${i}`))
    await post(...events)
    await startProjector()
    await post(...events.slice(0, 50))
    await post(event('task_1', 'last'))
    await holds(async () =>
      expect((await rows()).toSorted()).toEqual([...events.map((_, i) => `${i}`), 'last'].toSorted()),
    )
    const { rows: stored } = await world.admin.query<{ data: string }>(
      `SELECT data::text FROM events WHERE data->>'message' = '7'`,
    )
    expect(String(stored[0]?.data)).toBe('{"task_id":"task_7","message":"7"}')
    await holds(async () => expect(await counted('ariftly_projector_events_total{outcome="duplicate"}')).toBe(50))
    expect(await counted('ariftly_projector_event_id_conflicts_total')).toBe(0)
  })

  test('keeps the first copy of an id and counts a later one that differs', async () => {
    const first = event('task_1', 'first')
    await post(first)
    await post({ ...event('task_1', 'second', first.id) })
    await startProjector()
    await holds(async () => expect(await counted('ariftly_projector_event_id_conflicts_total')).toBe(1))
    expect(await rows()).toEqual(['first'])
  })

  test('continues from its position after a restart, also when the broker has forgotten its offsets', async () => {
    await post(event('task_1', 'a'), event('task_2', 'b'))
    const service = await startProjector()
    await holds(async () => expect(await rows()).toHaveLength(2))
    await service.close()
    running = []
    await world.kafka().withAdmin((admin) => admin.deleteGroups([`${world.env['KAFKA_GROUP_PREFIX']}-projector`]))
    const before = await world.admin.query('SELECT * FROM projection_offsets ORDER BY partition')
    await post(event('task_1', 'c'), event('task_3', 'd'))
    await startProjector()
    await holds(async () => expect((await rows()).toSorted()).toEqual(['a', 'b', 'c', 'd']))
    expect(before.rows.reduce((sum, { next_offset: next }) => sum + Number(next), 0)).toBe(2)
    expect(await counted('ariftly_projector_events_total{outcome="duplicate"}')).toBe(0)
    expect((await world.admin.query('SELECT FROM log_holes')).rowCount).toBe(0)
  })

  test('two at once share the work and lose or double nothing', async () => {
    const service = await startProjector()
    await startProjector()
    for (let round = 0; round < 10; round += 1) {
      await post(...Array.from({ length: 30 }, (_, i) => event(`task_${i}`, `${round}-${i}`)))
      if (round === 5) await service.close()
    }
    running = running.filter((one) => one !== service)
    await holds(async () => expect(await rows()).toHaveLength(300))
    expect(new Set(await rows()).size).toBe(300)
  })

  test('puts a record that breaks the contract into the dead letter topic before it passes it', async () => {
    const record = encodeRecord(event('task_1', 'x'))
    const partition = partitionOf(record.key, PARTITIONS)
    await world.producer().send([{ ...record, partition, headers: { ...record.headers, ce_type: 'task.exploded' } }])
    await post(event('task_1', 'good'))
    await startProjector()
    await holds(async () => expect(await rows()).toEqual(['good']))
    expect(await deadLetters()).toEqual([
      { reason: 'unknown_type', partition, offset: 0, value: '{"task_id":"task_1","message":"x"}' },
    ])
  })

  test('isolates the one row that Postgres refuses, and stores the others', async () => {
    await world.admin.query(`ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' <> 'poison')`)
    const events = Array.from({ length: 300 }, (_, i) => event('task_1', i === 177 ? 'poison' : `${i}`))
    await post(...events)
    await startProjector()
    await holds(async () => expect(await rows()).toHaveLength(299))
    expect(await deadLetters()).toMatchObject([{ reason: 'not_storable', offset: 177 }])
  })

  test('creates a weekly partition again that was dropped, and takes no event of it for a dead letter', async () => {
    await startProjector()
    await post(event('task_1', 'before'))
    await holds(async () => expect(await rows()).toEqual(['before']))
    await dropPartitions()
    const many = Array.from({ length: 200 }, (_, i) => event('task_1', `${i}`))
    await post(...many)
    await holds(async () => expect(await rows()).toEqual(many.map((_, i) => `${i}`)))
    await dropPartitions()
    await post(event('task_1', 'few'))
    await holds(async () => expect(await rows()).toEqual(['few']))
    expect(await deadLetters()).toEqual([])
    expect(await counted('ariftly_projector_events_total{outcome="dead_letter"}')).toBe(0)
  })

  test('records offsets that the log lost before they were read, and continues behind them', async () => {
    await post(event('task_1', 'a'))
    const service = await startProjector()
    await holds(async () => expect(await rows()).toHaveLength(1))
    await service.close()
    running = []
    await post(event('task_1', 'b'), event('task_1', 'c'), event('task_1', 'd'))
    const { partition } = { partition: partitionOf('acme/task_1', PARTITIONS) }
    await world.kafka().withAdmin(async (admin) => {
      await admin.fetchTopicOffsets(world.topics.topic)
      await admin.deleteTopicRecords({ topic: world.topics.topic, partitions: [{ partition, offset: '3' }] })
    })
    await startProjector()
    await holds(async () => expect(await rows()).toEqual(['a', 'd']))
    const { rows: gaps } = await world.admin.query(
      'SELECT projection, partition, from_offset, to_offset FROM log_holes',
    )
    expect(gaps).toEqual([{ projection: 'events', partition, from_offset: 1, to_offset: 3 }])
    expect(await counted('ariftly_projector_gap_offsets_total')).toBe(2)
  })

  test('stops on another log under the same name, and continues when an operator has opened a new epoch', async () => {
    const { topic } = world.topics
    const real = await currentEpoch(world.admin, topic)
    await post(event('task_1', 'a'))
    await world.admin.query(`UPDATE log_epochs SET cluster_id = 'the-old-cluster'`)
    const service = await startProjector()
    await holds(async () => expect(service.ready().checks['log']).toMatch(/is on Kafka cluster/))
    expect(service.ready().ready).toBe(false)
    expect(await rows()).toEqual([])
    await openEpoch(world.admin, { topic, clusterId: real?.clusterId ?? '', topicId: real?.topicId ?? '' })
    await holds(async () => expect(await rows()).toEqual(['a']))
    expect(service.ready().ready).toBe(true)
  })

  test('records when offsets were appended, once for each second and partition', async () => {
    await startProjector()
    const startedMs = Date.now()
    let posted = 0
    while (posted < 10 || Date.now() - startedMs < 2_100) {
      await post(event('task_1', `${posted}`))
      posted += 1
    }
    await holds(async () => expect(await rows()).toHaveLength(posted))
    const { rows: times } = await world.admin.query<{ second: number; offset: number }>(
      `SELECT floor(extract(epoch FROM appended_at))::float8 AS second, "offset" FROM log_times ORDER BY "offset"`,
    )
    const { rows: first } = await world.admin.query<{ second: number; offset: number }>(
      `SELECT floor(extract(epoch FROM appended_at))::float8 AS second, min("offset") AS "offset" FROM events
        GROUP BY 1 ORDER BY 2`,
    )
    expect(first.length).toBeGreaterThan(1)
    expect(times).toEqual(first)
  })
})

describe('write batch', () => {
  test('of two writers of one batch exactly one writes rows and position', async () => {
    const pool = createPool({ url: world.database.url, applicationName: 'test', max: 4, role: SERVICE_ROLE })
    try {
      const epoch = (await currentEpoch(pool, world.topics.topic))?.epoch ?? 0
      const key = { projection: 'events', epoch, topic: world.topics.topic }
      await world.admin.query(
        `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', $1, $2, 0, 0)`,
        [epoch, world.topics.topic],
      )
      const batch = batchOf(
        Array.from({ length: 20 }, (_, i) => event('task_1', `${i}`)),
        { garbage: true },
      )
      const decoded = decodeBatch(batch, { epoch, partitions: 1 })
      const deps = { pool, epoch, topic: world.topics.topic, eventPartitions: createEventPartitions(pool) }
      const outcomes = await Promise.all([1, 2, 3].map(() => writeBatches([{ batch, decoded }], deps)))
      expect(outcomes.map(({ type }) => type).toSorted()).toEqual(['lost', 'lost', 'written'])
      expect(await rows()).toHaveLength(20)
      expect((await readPositions(pool, key)).get(0)).toEqual({
        nextOffset: 21,
        lastOffset: 19,
        lastId: decoded.events.at(-1)?.id,
      })
    } finally {
      await pool.end()
    }
  })

  test('a writer that was stopped inside its transaction writes nothing when another has continued', async () => {
    const pool: Pool = createPool({
      url: world.database.url,
      applicationName: 'test',
      max: 4,
      role: SERVICE_ROLE,
      transactionTimeoutMs: 2_000,
    })
    const holder = await world.admin.connect()
    try {
      const { topic } = world.topics
      const epoch = (await currentEpoch(pool, topic))?.epoch ?? 0
      await world.admin.query(
        `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', $1, $2, 0, 0)`,
        [epoch, topic],
      )
      const stale = batchOf([event('task_1', 'stale')])
      const deps = { pool, epoch, topic, eventPartitions: createEventPartitions(pool) }
      // It waits with its rows inserted and the position locked.
      await holder.query('BEGIN; LOCK TABLE log_times IN ACCESS EXCLUSIVE MODE')
      const first = writeBatches([{ batch: stale, decoded: decodeBatch(stale, { epoch, partitions: 1 }) }], deps)
      const failed = expect(first).rejects.toThrow()
      await eventually('one session waits', async () => (await waitingSessions()) === 1)
      const fresh = batchOf([event('task_1', 'fresh')])
      const decoded = { ...decodeBatch(fresh, { epoch, partitions: 1 }), times: [] }
      // As the log reader does, it tries until Postgres has ended the one that waits.
      const second = await eventually('the batch is written', () => writeBatches([{ batch: fresh, decoded }], deps))
      expect(second.type).toBe('written')
      await failed
      expect(await rows()).toEqual(['fresh'])
    } finally {
      await holder.query('ROLLBACK')
      holder.release()
      await pool.end()
    }
  })
})
