import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkpointFrame, openingFrame, resetFrame } from './control-frames.ts'
import { HEARTBEAT, joinBlocks, renderFrame, unchunk } from './frames.ts'

describe('a frame', () => {
  test('is the SSE frame in one HTTP chunk, and as a block in memory of its own', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        const data = Buffer.from(JSON.stringify({ text }))
        for (const isKept of [false, true]) {
          const frame = renderFrame({ event: 'task.progress', data, id: 'v1.abc', isKept })
          const body = unchunk(frame)
          expect(body.toString()).toBe(`event: task.progress\ndata: ${data.toString()}\nid: v1.abc\n\n`)
          expect(body.buffer.byteLength).toBe(body.length)
          const block = joinBlocks([frame], frame.length)
          expect(block.equals(frame)).toBe(true)
          expect(block.buffer.byteLength).toBe(frame.length)
          expect(block === frame).toBe(isKept)
        }
      }),
    )
  })

  test('together with others in a block is unchunked one by one', () => {
    const frames = ['a', 'b'].map((data) =>
      renderFrame({ event: 'e', data: Buffer.from(data), id: data, isKept: false }),
    )
    const blocks = [...frames, HEARTBEAT]
    const joined = joinBlocks(
      blocks,
      blocks.reduce((sum, { length }) => sum + length, 0),
    )
    expect(joined.buffer.byteLength).toBe(joined.length)
    const bodies = unchunk(joined)
    expect(bodies.buffer.byteLength).toBe(bodies.length)
    expect(bodies.toString()).toBe('event: e\ndata: a\nid: a\n\nevent: e\ndata: b\nid: b\n\n:\n')
  })
})

describe('frames of the stream itself', () => {
  test('have memory of their own: while one is unsent it retains nothing else', () => {
    for (const frame of [HEARTBEAT, checkpointFrame('v1.x'), openingFrame(2000, 'v1.x')]) {
      expect(frame.buffer.byteLength).toBe(frame.length)
    }
  })

  test('begin with the reconnection time and the position, in one block', () => {
    expect(unchunk(openingFrame(2000, 'v1.x')).toString()).toBe(
      'retry: 2000\nevent: stream.checkpoint\ndata: {}\nid: v1.x\n\n',
    )
    expect(unchunk(openingFrame(2000, undefined)).toString()).toBe('retry: 2000\n')
    expect(unchunk(checkpointFrame('v1.x')).toString()).toBe('event: stream.checkpoint\ndata: {}\nid: v1.x\n\n')
  })

  test('keep any requested text on one line', () => {
    const frame = resetFrame({ reason: 'log_changed', requested: 'a\n"é', earliestMs: 0, id: 'v1.x' })
    expect(unchunk(frame).toString()).toBe(
      'event: stream.reset\ndata: {"reason":"log_changed","requested":"a\\n\\"é","earliest":"1970-01-01T00:00:00.000Z"}\nid: v1.x\n\n',
    )
  })
})
