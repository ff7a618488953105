import { describe, expect, test } from '@jest/globals'
import { checkLedger, summarize, tooManyDuplicates } from './checker.ts'
import { isWanted, type Observation, type PlacedEvent, type PlannedEvent } from './ledger.ts'
import { tamperings } from './tamper.ts'

describe('checkLedger', () => {
  test('reports nothing about a run in which every promise was kept, reposts included', () => {
    expect(checkLedger(goodRun())).toEqual([])
  })

  test.each(tamperings(goodRun()))('reports $name', ({ observation, expected }) => {
    expect(checkLedger(observation)).toContainEqual(expect.objectContaining(expected))
  })

  test('takes an event that was written but never acknowledged as an event', () => {
    const good = goodRun()
    const unacknowledged = { ...good, acknowledged: good.acknowledged.slice(1) }
    expect(checkLedger(unacknowledged)).toEqual([])
    const [written] = good.acknowledged
    const streams = good.streams.map((stream) => {
      return { ...stream, received: stream.received.filter(({ id }) => id !== written?.id) }
    })
    expect(checkLedger({ ...unacknowledged, streams })).toContainEqual(expect.objectContaining({ kind: 'missing' }))
  })

  test('does not ask for an order between two tasks', () => {
    const good = goodRun()
    const byTask = good.streams.map((stream) => {
      const tasks = new Map(good.log.map((record) => [record.id, record.taskId]))
      const received = stream.received.toSorted((a, b) => (tasks.get(a.id) ?? '').localeCompare(tasks.get(b.id) ?? ''))
      return { ...stream, received }
    })
    expect(checkLedger({ ...good, streams: byTask })).toEqual([])
  })

  test('sums violations up by place and kind', () => {
    const good = goodRun()
    const violations = checkLedger({ ...good, table: [], deadLetters: 2 })
    expect(summarize(violations)).toEqual({ 'table: missing': good.acknowledged.length, 'log: deadLetter': 1 })
  })
})

test('each post of an event may write two records of it, and no more', () => {
  const { log } = goodRun()
  const posts = new Map(log.map(({ id }) => [id, 1]))
  expect(tooManyDuplicates(log, posts)).toEqual([])
  const [event] = log
  const again = log.filter(({ id }) => id === event?.id)
  expect(again).toHaveLength(2)
  expect(tooManyDuplicates([...log, ...again], posts)).toEqual([{ id: event?.id, records: 4, posts: 1 }])
  expect(tooManyDuplicates([...log, ...again], posts.set(String(event?.id), 2))).toEqual([])
})

/** A run of 120 events of two tenants in which all went well; every tenth event is in the log twice. */
function goodRun(): Observation {
  const acknowledged = Array.from({ length: 120 }, (_, index) => plannedEvent(index))
  const log = acknowledged.flatMap((event, index) => {
    const place = { partition: index % 3, offset: index * 2 }
    const records: PlacedEvent[] = [{ ...event, ...place }]
    if (index % 10 === 0) records.push({ ...event, partition: place.partition, offset: place.offset + 1 })
    return records
  })
  const table = log.filter((record) => record.offset % 2 === 0)
  const seenBy = (tenant: string, wanted: Parameters<typeof isWanted>[2]) => {
    return table.filter((event) => isWanted(event, tenant, wanted))
  }
  const stream = (name: string, tenant: string, wanted: Parameters<typeof isWanted>[2]) => {
    return { name, tenant, wanted, received: seenBy(tenant, wanted).map(({ id, type, data }) => ({ id, type, data })) }
  }
  const webhook = (name: string, tenant: string, wanted: Parameters<typeof isWanted>[2]) => {
    const received = seenBy(tenant, wanted).map(({ id, data }) => ({
      webhookId: id,
      eventId: id,
      data,
      verified: true,
    }))
    return { name, tenant, wanted, received: [...received, ...received.slice(0, 2)] }
  }
  return {
    acknowledged,
    log,
    table,
    deadLetters: 0,
    streams: [stream('all', 'a', {}), stream('task', 'b', { taskId: 'task_1' }), stream('agent', 'a', { agent: 'x' })],
    webhooks: [webhook('types', 'a', { types: ['task.complete'] }), webhook('task', 'b', { taskId: 'task_1' })],
    listed: table.map(({ tenant, id, data }) => ({ tenant, id, data })),
  }
}

function plannedEvent(index: number): PlannedEvent {
  const taskId = `task_${Math.floor(index / 2) % 3}`
  return {
    tenant: index % 2 === 0 ? 'a' : 'b',
    id: `evt_${index}`,
    type: index % 6 === 0 ? 'task.complete' : 'task.progress',
    taskId,
    agent: index % 4 === 0 ? 'x' : 'y',
    data: `{"task_id":"${taskId}","n":${index}}`,
  }
}
