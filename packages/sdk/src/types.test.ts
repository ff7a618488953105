import { expect, test } from '@jest/globals'
import type { AriftlyEvent, StreamItem } from './index.ts'

// What narrows shows in the types of the constants: `npm run check` compiles this file.

const event = {
  id: 'evt_1',
  type: 'task.progress',
  data: { message: 'm', progress: 0.5, extra: 1 },
} as unknown as AriftlyEvent
const later = { id: 'evt_2', type: 'task.archived', data: { by: 'retention' } } as unknown as AriftlyEvent

test('comparing the type of an event narrows its data', () => {
  expect.assertions(2)
  if (event.type === 'task.progress') {
    const message: string = event.data.message
    expect(message).toBe('m')
    expect(event.data.progress?.toFixed(1)).toBe('0.5')
  }
})

test('without a comparison the members of data are unknown', () => {
  // @ts-expect-error Another type may have another member of this name.
  const message: string = event.data.message
  expect(message).toBe('m')
})

test('an event of a later type ends in the default of a switch, with its data as unknown members', () => {
  expect.assertions(2)
  switch (later.type) {
    case 'task.created':
    case 'task.progress':
    case 'task.complete':
    case 'task.failed':
    case 'artifact.emitted':
    case 'approval.requested':
    case 'approval.resolved':
    case 'session.message':
    case 'session.closed':
    case 'tool_call.executed':
      break
    default: {
      const by: unknown = later.data['by']
      expect(by).toBe('retention')
      const type: string = later.type
      expect(type).toBe('task.archived')
    }
  }
})

test('an item of a stream that is no reset is an event', () => {
  const item = event as StreamItem
  if (item.type === 'stream.reset') throw new Error(item.reason)
  const rawEvent: string | undefined = item.rawEvent
  const narrowed: 'task.failed' | undefined = item.type === 'task.failed' ? item.type : undefined
  expect([rawEvent, narrowed]).toEqual([undefined, undefined])
  expect(item.id).toBe('evt_1')
})
