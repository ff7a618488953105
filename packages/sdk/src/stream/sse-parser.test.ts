import { describe, expect, test } from '@jest/globals'
import { ProtocolError } from '../errors.ts'
import { SseParser, type Frame } from './sse-parser.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (text: string) => new SseParser().push(bytes(text))

function parseCutAt(text: string, size: number): Frame[] {
  const parser = new SseParser()
  const whole = bytes(text)
  const frames: Frame[] = []
  for (let at = 0; at < whole.length; at += size) frames.push(...parser.push(whole.subarray(at, at + size)))
  return frames
}

describe('SseParser', () => {
  const stream =
    '\uFEFFretry: 2114\nevent: a\ndata: {"x":"é😀"}\nid: v1\n\n:\n\r\nevent: b\rdata:1\rdata: 2\r\rdata\n\nid: v2\n\n'
  const frames = [
    { event: 'a', data: '{"x":"é😀"}', id: 'v1' },
    { event: undefined, data: '', id: undefined },
    { event: 'b', data: '1\n2', id: undefined },
    { event: 'message', data: '', id: undefined },
  ]

  test.each([1, 2, 3, 5, 7, 1000])('reads the same frames when they are cut every %i bytes', (size) => {
    expect(parseCutAt(stream, size)).toEqual(frames)
  })

  test('keeps what `retry` says, if it is a number', () => {
    const parser = new SseParser()
    parser.push(bytes('retry: 12\nretry: soon\n'))
    expect(parser.retryMs).toBe(12)
  })

  test('a block without its blank line is no frame', () => {
    expect(parse('event: a\ndata: 1\nid: v1\n')).toEqual([])
  })

  test('fields that it does not know, and ids with NUL, are ignored', () => {
    expect(parse('what: 1\nid: a\0b\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x', id: undefined }])
  })

  test('a frame over 1 MiB is an error, in one line and in many', () => {
    expect(() => parseCutAt(`data: ${'x'.repeat(1_100_000)}`, 65_536)).toThrow(ProtocolError)
    expect(() => parseCutAt(`data: ${'x'.repeat(1000)}\n`.repeat(1100), 65_536)).toThrow(ProtocolError)
    expect(parseCutAt(`data: ${'x'.repeat(1_000_000)}\n\n`, 65_536)).toHaveLength(1)
  })
})
