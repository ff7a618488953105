import { expect, test } from '@jest/globals'
import type { AriftlyEvent, Events, NewEvent, StreamItem } from './index.ts'

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

test('a member of data that the catalogue does not name is an error, unless it is a type parameter, or JSON text', () => {
  // @ts-expect-error It is `progress`.
  const misspelt: NewEvent = { type: 'task.progress', task_id: 't', data: { message: 'm', progess: 0.4 } }
  const own: NewEvent<{ page: number }> = { type: 'task.progress', task_id: 't', data: { message: 'm', page: 1 } }
  // @ts-expect-error The own member is missing.
  const without: NewEvent<{ page: number }> = { type: 'task.progress', task_id: 't', data: { message: 'm' } }
  const raw: NewEvent = { type: 'task.progress', task_id: 't', data: '{"message":"m","page":1}' }
  const sent: readonly NewEvent[] = [own, raw]
  expect([misspelt, without, ...sent]).toHaveLength(4)
  // Of methods too, which take the type parameter as well: compiled, and not called.
  const calls = (events: Events) => [
    // @ts-expect-error It is `progress`.
    events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', progess: 0.4 } }),
    // @ts-expect-error It is `progress`.
    events.send([{ type: 'task.progress', task_id: 't', data: { message: 'm', progess: 0.4 } }]),
    events.send<{ page: number }>({ type: 'task.progress', task_id: 't', data: { message: 'm', page: 1 } }),
    events.trySend(own),
  ]
  expect(calls).toBeInstanceOf(Function)
})
