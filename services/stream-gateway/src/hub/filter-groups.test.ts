import { expect, test } from '@jest/globals'
import { createFilterGroups } from './filter-groups.ts'
import { streamFilter } from './filter.ts'
import { Subscriber } from './subscriber.ts'

const SINK = {
  write: () => 0,
  unsentBytes: () => 0,
  hasRoom: () => true,
  sentBytes: () => 0,
  end: () => undefined,
  destroy: () => undefined,
}

test('streams that show the same bytes share a group, from their start to the end of the last one', () => {
  const groups = createFilterGroups<Subscriber>()
  const open = (envelope: boolean) => {
    const filter = streamFilter('a', { agent: 'x', types: ['task.created', 'task.failed'] }, envelope)
    const subscriber = new Subscriber({ filter, sink: SINK, keyId: 'k', partitions: 1, nowMs: 0 })
    subscriber.begin(groups.groupOf(filter), Float64Array.of(0))
    return subscriber
  }
  const [first, second, whole] = [open(false), open(false), open(true)]
  expect(second.group).toBe(first.group)
  expect(whole.group).not.toBe(first.group)
  first.goLive(0)
  expect([first.group?.subscribers.size, first.group?.live.size]).toEqual([2, 1])
  expect(first.close()).toBeUndefined()
  const empty = second.close()
  expect(empty?.live.size).toBe(0)
  if (empty !== undefined) groups.remove(empty)
  expect(groups.size).toBe(1)
})
