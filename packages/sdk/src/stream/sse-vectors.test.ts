import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { SseParser } from './sse-parser.ts'

/** `packages/sdk/contract/vectors/README.md` says what the members mean. */
interface Vector {
  readonly name: string
  readonly text?: string
  readonly base64?: string
  readonly repeat?: { readonly text: string; readonly times: number }
  readonly frames?: readonly object[]
  readonly retry_ms?: number
  readonly error?: string
}

const FILE = join(import.meta.dirname, '../../contract/vectors/sse.json')
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vector[]

describe.each(vectors)('$name', ({ text = '', base64, repeat, frames, retry_ms = null, error }) => {
  const head = base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64')
  const whole = Buffer.concat([head, Buffer.from(repeat === undefined ? '' : repeat.text.repeat(repeat.times))])

  test('however it is cut', () => {
    for (const chunks of waysToCut(whole)) expect(parse(chunks)).toEqual({ frames, retry_ms, error })
  })
})

function waysToCut(whole: Buffer): Buffer[][] {
  if (whole.length > 65_536) return [[whole], pieces(whole, 65_536)]
  const inTwo = Array.from({ length: whole.length }, (_, at) => [whole.subarray(0, at), whole.subarray(at)])
  return [[whole], pieces(whole, 1), ...inTwo]
}

function pieces(whole: Buffer, size: number): Buffer[] {
  const count = Math.ceil(whole.length / size)
  return Array.from({ length: count }, (_, at) => whole.subarray(at * size, (at + 1) * size))
}

function parse(chunks: readonly Buffer[]): object {
  const parser = new SseParser()
  try {
    const frames = chunks.flatMap((chunk) => parser.push(chunk))
    const plain = frames.map(({ event = null, data, id = null }) => ({ event, data, id }))
    return { frames: plain, retry_ms: parser.retryMs ?? null, error: undefined }
  } catch (error) {
    return { frames: undefined, retry_ms: null, error: (error as { readonly code: string }).code }
  }
}
