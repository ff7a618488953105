import { expect, test } from '@jest/globals'
import { renderSseFrame } from './sse-frame.ts'

test('a frame names its event, then its one line of data, then its id', () => {
  const data = Buffer.from('{"task_id":"t","message":"Größe \u{1f600}"}')
  const frame = renderSseFrame({ event: 'task.progress', data, id: 'v1.abc' })
  expect(frame.toString()).toBe(`event: task.progress\ndata: ${data.toString()}\nid: v1.abc\n\n`)
})

test('a frame without an id, and one with the id as bytes', () => {
  const data = Buffer.from('{}')
  expect(renderSseFrame({ event: 'a', data }).toString()).toBe('event: a\ndata: {}\n\n')
  expect(renderSseFrame({ event: 'a', data, id: Buffer.from('v1') }).toString()).toBe('event: a\ndata: {}\nid: v1\n\n')
})
