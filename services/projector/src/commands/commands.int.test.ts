import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId, partitionOf, type LogEvent } from '@ariftly/events'
import type { Running } from '@ariftly/runtime'
import { createPool, type Pool } from '@ariftly/store'
import { currentEpoch } from '@ariftly/store/projection'
import { createWorld, eventually, startInProcess, type World } from '@ariftly/testkit'
import { event as eventOf } from '../test-batches.ts'
import { projectorConfig, start } from '../service.ts'
import { adoptLog } from './adopt-log.ts'
import type { CommandContext } from './command.ts'
import { rebuild } from './rebuild.ts'
import { status } from './status.ts'
import { verify } from './verify.ts'

const PARTITIONS = 3
const DAY_MS = 86_400_000
/** Of another partition than the first. */
const LATER_TASK = `task_${[1, 2, 3, 4, 5].find((n) => partitionOf(`acme/task_${n}`, PARTITIONS) > 0)}`
const PROJECTOR = { config: projectorConfig, start }

let world: World
let pool: Pool
let projector: Running
let printed: string[]

beforeEach(async () => {
  world = await createWorld({ partitions: PARTITIONS })
  pool = createPool({ role: null, url: world.database.adminUrl, applicationName: 'test', max: 2 })
  projector = await startInProcess(PROJECTOR, world.env, { untilReady: false })
  printed = []
})

afterEach(async () => {
  await projector.close()
  await pool.end()
  await world.close()
})

function context(force = false): CommandContext {
  return {
    kafka: world.kafka(),
    pool,
    topic: world.topics.topic,
    dlqTopic: world.topics.dlqTopic,
    partitions: PARTITIONS,
    force,
    now: Date.now,
    print: (line) => void printed.push(line),
  }
}

/** As `context`, but the log loses records of a partition, not the first, after a command has read where the log begins. */
function contextWithRetention(partition: number, offset: number): CommandContext {
  async function query(text: string, values?: unknown[]): Promise<unknown> {
    if (JSON.stringify(text).includes('kept_from_ms')) {
      await world.kafka().withAdmin(async (admin) => {
        const { topic } = world.topics
        await admin.fetchTopicOffsets(topic) // kafkajs must have seen the topic first
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
      })
    }
    return await pool.query(text, values)
  }
  return { ...context(), pool: Object.assign(Object.create(pool), { query }) as Pool }
}

function event(i: number, ms = Date.now()): LogEvent {
  const task = `task_${i % 10}`
  const data = Buffer.from(`{"task_id":"${task}","message":"${i}","progress":1.0}`)
  return { ...eventOf(task, String(i), newEventId(ms)), agent: 'a', data }
}

const post = (events: readonly LogEvent[]): Promise<void> => world.append(events)

async function projected(count: number): Promise<void> {
  await eventually('all events are projected', async () => (await pool.query('SELECT FROM events')).rowCount === count)
}

async function readTo(records: number): Promise<void> {
  await eventually('the reader is at the end of the log', async () => {
    const { rows } = await pool.query<{ read: number }>('SELECT sum(next_offset)::int AS read FROM projection_offsets')
    return rows[0]?.read === records
  })
}

/** Of every column but `projected_at`: a row that is put back was projected later. */
async function contentHash(): Promise<string> {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT (to_jsonb(events) - 'projected_at' - 'data')::text || data::text AS line FROM events ORDER BY tenant_id, id`,
  )
  return createHash('sha256')
    .update(rows.map(({ line }) => line).join('\n'))
    .digest('hex')
}

async function positions(): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>('SELECT * FROM projection_offsets ORDER BY partition')
  return rows
}

describe('projection commands', () => {
  test('rebuild puts back exactly the missing rows, and moves no offset', async () => {
    const events = Array.from({ length: 100 }, (_, i) => event(i))
    await post(events)
    await post(events.slice(0, 20)) // a repost has a second offset
    await projected(100)
    await readTo(120)
    expect(await verify(context())).toBe(0)
    const before = { hash: await contentHash(), positions: await positions() }

    await pool.query(`DELETE FROM events WHERE (data->>'message')::int % 3 = 0`)
    expect(await verify(context())).toBe(1)
    expect(printed.filter((line) => line.startsWith('missing')).length).toBeGreaterThanOrEqual(34)
    expect(await rebuild(context())).toBe(0)
    expect(printed.at(-1)).toBe('read 120, inserted 34')
    expect({ hash: await contentHash(), positions: await positions() }).toEqual(before)
    expect(await verify(context())).toBe(0)
  })

  test('projector, rebuild and verify pass over the same events that are older than the kept history', async () => {
    await pool.query('UPDATE retention SET events_days = 35')
    const old = Date.now() - 85 * DAY_MS
    await post([event(1), event(2), event(3, old), event(4, old)])
    await readTo(4)
    expect((await pool.query('DELETE FROM events')).rowCount).toBe(2)
    expect(await rebuild(context())).toBe(0)
    expect(printed.slice(-2)).toEqual([
      'left out 2 events that are older than what the table keeps',
      'read 4, inserted 2',
    ])
    expect(await verify(context())).toBe(0)
    expect(printed.slice(-2)).toEqual([
      'passed over 2 events that are older than what the table keeps',
      '4 events compared, 0 differences',
    ])
    await pool.query('UPDATE retention SET events_days = 90')
    expect(await verify(context())).toBe(1)
  })

  test('rebuild and verify pass over records that retention deletes while they read', async () => {
    await post(Array.from({ length: 100 }, (_, i) => event(i)))
    await projected(100)
    const partition = partitionOf(`acme/${LATER_TASK}`, PARTITIONS)
    expect(await verify(contextWithRetention(partition, 4))).toBe(0)
    expect(printed.at(-1)).toBe('96 events compared, 0 differences')
    expect(await rebuild(contextWithRetention(partition, 7))).toBe(0)
    expect(printed.at(-1)).toBe('read 93, inserted 0')
  })

  test('verify names a row whose content is not that of its record, and counts rows that no record explains', async () => {
    const events = Array.from({ length: 10 }, (_, i) => event(i))
    await post(events)
    await projected(10)
    await pool.query(
      `UPDATE events SET data = '{"task_id":"task_3","message":"3","progress":1}' WHERE task_id = 'task_3'`,
    )
    await pool.query(`UPDATE events SET id = overlay(id::text PLACING 'ffff' FROM 33)::uuid WHERE task_id = 'task_4'`)
    expect(await verify(context())).toBe(1)
    expect(printed.filter((line) => line.includes(`acme ${events[3]?.id}`))).toEqual([
      expect.stringMatching(/^differs /),
    ])
    expect(printed.filter((line) => line.includes(`acme ${events[4]?.id}`))).toEqual([
      expect.stringMatching(/^missing /),
    ])
    expect(printed.filter((line) => line.startsWith('extra'))).toHaveLength(1)
    expect(printed.at(-1)).toBe('10 events compared, 3 differences')
  })

  test('status shows the lag of each partition in records and seconds', async () => {
    await post(Array.from({ length: 30 }, (_, i) => event(i)))
    await projected(30)
    await projector.close()
    await post([event(1), event(1), event(1)])
    expect(await status(context())).toBe(0)
    expect(printed.at(-1)).toBe('total lag 3')
    const partition = partitionOf('acme/task_1', PARTITIONS)
    const cells = printed[2 + partition]?.trim().split(/\s+/) ?? []
    expect(cells[4]).toBe('3')
    expect(Number(cells[5])).toBeLessThan(30)
  })

  test('rebuild and verify pass over an event that Postgres refused, as the projector did, and count it', async () => {
    await world.admin.query(`ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' <> '41')`)
    await post(Array.from({ length: 100 }, (_, i) => event(i)))
    await projected(99)
    expect(await verify(context())).toBe(0)
    expect(printed.slice(-2)).toEqual([
      'passed over 1 events that the store refused, and that are dead letters',
      '100 events compared, 0 differences',
    ])
    await pool.query(`DELETE FROM events WHERE task_id = 'task_1'`)
    expect(await verify(context())).toBe(1)
    expect(printed.filter((line) => line.startsWith('missing'))).toHaveLength(9)
    expect(await rebuild(context())).toBe(0)
    expect(printed.slice(-2)).toEqual([
      'left out 1 events that the store refuses, and that are dead letters for that',
      'read 100, inserted 9',
    ])
    expect(await verify(context())).toBe(0)
  })

  test('rebuild continues past an event that is refused and no dead letter, but names it and fails', async () => {
    const events = Array.from({ length: 20 }, (_, i) => event(i))
    await post(events)
    await projected(20)
    await pool.query('DELETE FROM events')
    await world.admin.query(`ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' <> '13')`)
    expect(await rebuild(context())).toBe(1)
    expect(printed.filter((line) => line.includes('refused by the store: 23514'))).toEqual([
      expect.stringContaining(`acme ${events[13]?.id}`),
    ])
    expect(printed.at(-1)).toBe('read 20, inserted 19')
    expect(await verify(context())).toBe(1)
  })

  test('adopt-log refuses the very log that was read, also by force: its rows would be of a previous epoch', async () => {
    await post([event(1)])
    await projected(1)
    const before = await currentEpoch(pool, world.topics.topic)
    expect(await adoptLog(context())).toBe(1)
    expect(await adoptLog(context(true))).toBe(1)
    expect(printed.filter((line) => line.startsWith('Epoch 1 is of this log'))).toHaveLength(2)
    expect(await currentEpoch(pool, world.topics.topic)).toEqual(before)
  })

  test('adopt-log opens an epoch by force where it cannot find out which log it is', async () => {
    expect(await adoptLog(context())).toBe(1)
    expect(await adoptLog(context(true))).toBe(0)
    const after = await currentEpoch(pool, world.topics.topic)
    expect(after?.epoch).toBe(2)
    const { rows } = await pool.query('SELECT next_offset FROM projection_offsets WHERE epoch = 2')
    expect(rows).toEqual([{ next_offset: 0 }, { next_offset: 0 }, { next_offset: 0 }])
  })

  test('adopt-log finds that the offset of the last record that was read has another record', async () => {
    await post([event(1)])
    await projected(1)
    await projector.close()
    await pool.query('UPDATE projection_offsets SET last_id = gen_random_uuid() WHERE last_id IS NOT NULL')
    expect(await adoptLog(context())).toBe(0)
    expect((await currentEpoch(pool, world.topics.topic))?.epoch).toBe(2)
  })

  test('a projector that reads goes over to the epoch that is opened', async () => {
    await eventually('the projector is ready', () => projector.ready().ready)
    expect(await adoptLog(context(true))).toBe(0)
    await post([event(1), event(2)])
    await projected(2)
    const readOfNewest =
      'SELECT sum(next_offset)::int AS records FROM projection_offsets GROUP BY epoch ORDER BY epoch DESC LIMIT 1'
    await eventually(
      'the newest epoch is read',
      async () => (await pool.query<{ records: number }>(readOfNewest)).rows[0]?.records === 2,
    )
    expect(await verify(context())).toBe(0)
    expect(projector.ready().ready).toBe(true)
  })

  test('adopt-log opens an epoch on another cluster, with which a stopped projector continues', async () => {
    await projector.close()
    await post([event(1)])
    await pool.query(`UPDATE log_epochs SET cluster_id = 'the-old-cluster'`)
    projector = await startInProcess(PROJECTOR, world.env, { untilReady: false })
    await eventually('the other cluster', () => /is on Kafka cluster/.test(projector.ready().checks['log'] ?? ''))
    await expect(verify(context())).rejects.toMatchObject({ code: 'log_identity_changed' })
    expect(await adoptLog(context())).toBe(0)
    await projected(1)
    expect(await verify(context())).toBe(0)
  })
})
