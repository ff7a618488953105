import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { createPaint, hasColors, type Paint } from './paint.ts'
import { escapeJson, type Shown } from './show.ts'

/** A stream that a person or a program reads. Each method resolves when more may be written; after an error nothing is written. */
export interface Output {
  /** The stream itself, for what redraws a line. */
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly isTty: boolean
  readonly paint: Paint
  /** A line of text for a person. */
  line(text: Shown): Promise<void>
  /** A value as one line of JSON. */
  json(value: unknown): Promise<void>
  /** One JSON value that is JSON text already, without a line break: its bytes are kept, but on a terminal what drives it is written as `\u001b`. */
  jsonText(text: string): Promise<void>
  /** Bytes, unchanged: not for terminals. */
  bytes(bytes: Uint8Array): Promise<void>
  /** Resolves when all is written, or cannot be. */
  flushed(): Promise<void>
}

/** `onClosed` is called once, when nothing more can be written: with EPIPE, as the reader has closed, or with another error. */
export function createOutput(
  stream: Output['stream'],
  env: NodeJS.ProcessEnv,
  onClosed: (error: NodeJS.ErrnoException) => void,
): Output {
  const isTty = stream.isTTY === true
  let isOpen = true
  const closed = new Promise<void>((resolve) => {
    stream.once('error', (error: NodeJS.ErrnoException) => {
      isOpen = false
      onClosed(error)
      resolve()
    })
  })
  // An error may be raised again for each write that was under way.
  stream.on('error', () => undefined)

  async function write(text: string | Uint8Array): Promise<void> {
    if (!isOpen || stream.write(text)) return
    await Promise.race([once(stream, 'drain').catch(() => undefined), closed])
  }
  async function flushed(): Promise<void> {
    if (!isOpen) return
    // Of an error `closed` tells, after `onClosed` was called.
    const written = new Promise<void>((resolve) => stream.write('', (error) => error == null && resolve()))
    await Promise.race([written, closed])
  }
  async function jsonText(text: string): Promise<void> {
    await write(`${isTty ? escapeJson(text) : text}\n`)
  }
  return {
    stream,
    isTty,
    paint: createPaint(hasColors(isTty, env)),
    line: async ({ text }) => await write(`${text}\n`),
    json: async (value) => await jsonText(JSON.stringify(value)),
    jsonText,
    bytes: write,
    flushed,
  }
}
