import { describe, expect, test } from '@jest/globals'
import { EVENT_TYPES } from '@ariftly/events'
import fc from 'fast-check'
import type { Routed } from '../log/read-routed.ts'
import { FilterIndex } from './filter-index.ts'
import { matches, streamFilter, toEventFilter, type StreamFilter } from './filter.ts'
import { Subscriber } from './subscriber.ts'

const name = fc.constantFrom('a', 'b', 'c')
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const filters: fc.Arbitrary<StreamFilter> = fc
  .record({
    tenant: name,
    taskId: maybe(name),
    sessionId: maybe(name),
    agent: maybe(name),
    types: maybe(fc.subarray([...EVENT_TYPES], { minLength: 1 })),
    envelope: fc.boolean(),
  })
  .map(({ tenant, taskId, sessionId, agent, types, envelope }) =>
    streamFilter(
      tenant,
      {
        ...(taskId === undefined ? {} : { taskId }),
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(agent === undefined ? {} : { agent }),
        ...(types === undefined ? {} : { types }),
      },
      envelope,
    ),
  )
const records: fc.Arbitrary<Routed> = fc.record({
  tenant: name,
  type: fc.constantFrom(...EVENT_TYPES),
  taskId: fc.option(name),
  sessionId: fc.option(name),
  agent: fc.option(name),
})

function clientOf(filter: StreamFilter): Subscriber {
  const sink = {
    write: () => 0,
    unsentBytes: () => 0,
    hasRoom: () => true,
    sentBytes: () => 0,
    end: () => undefined,
    destroy: () => undefined,
  }
  return new Subscriber({ filter, sink, keyId: 'k', partitions: 1, nowMs: 0 })
}

function add(index: FilterIndex, subscriber: Subscriber): void {
  subscriber.begin(index.groupOf(subscriber.filter), Float64Array.of(0))
  subscriber.goLive(0)
}

function remove(index: FilterIndex, subscriber: Subscriber): void {
  const empty = subscriber.close()
  if (empty !== undefined) index.remove(empty)
}

describe('the filter index', () => {
  test('gives each record to exactly the clients that a scan of all would find, each once', () => {
    fc.assert(
      fc.property(
        fc.array(filters, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.array(records, { minLength: 1, maxLength: 20 }),
        (all, leaving, incoming) => {
          const index = new FilterIndex()
          let clients = all.map(clientOf)
          for (const client of clients) add(index, client)
          for (const at of leaving) {
            const client = clients[at % Math.max(1, clients.length)]
            if (client === undefined) continue
            remove(index, client)
            clients = clients.filter((other) => other !== client)
          }
          for (const record of incoming) {
            const found = index.groupsFor(record).flatMap(({ live }) => [...live.keys()])
            const expected = clients.filter((client) => matches(client.filter, record))
            expect(found).toHaveLength(expected.length)
            expect(new Set(found)).toEqual(new Set(expected))
          }
          for (const client of clients) remove(index, client)
          expect(index.groups).toBe(0)
        },
      ),
    )
  })

  test('keeps clients of the same filter in one group', () => {
    const index = new FilterIndex()
    const filter = streamFilter('a', { agent: 'x', types: ['task.created', 'task.failed'] }, false)
    const clients = [clientOf(filter), clientOf({ ...filter })]
    for (const client of clients) add(index, client)
    expect(index.groups).toBe(1)
    expect(index.groupOf(filter).live.size).toBe(2)
    expect(toEventFilter(filter)).toEqual({ agent: 'x', types: ['task.created', 'task.failed'] })
  })
})
