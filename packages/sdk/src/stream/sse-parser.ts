import { ProtocolError } from '../errors.ts'

/** One block of an event stream, or a comment. */
export interface Frame {
  /** `message` when the stream does not say; undefined for a comment. */
  readonly event: string | undefined
  readonly data: string
  /** The position after this frame; undefined when the frame has none. */
  readonly id: string | undefined
}

/** Characters of one frame: payloads have at most 256 KiB. */
const FRAME_CHARS_MAX = 1024 * 1024

/**
 * Parses an event stream (HTML standard, 9.2.6) from chunks that may be cut anywhere. A frame is given out at its blank line, so that a cut one is
 * none. Throws ProtocolError for a frame over 1 MiB.
 */
export class SseParser {
  /** What the last `retry:` said, milliseconds. */
  retryMs: number | undefined
  readonly #decoder = new TextDecoder() // It drops the byte order mark.
  #rest = ''
  /** Where the search for the next line end continues in `#rest`. */
  #from = 0
  #event = ''
  #data: string[] = []
  #dataChars = 0
  #id: string | undefined

  /** The frames and comments that this chunk completes. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    let text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    let start = 0
    // Searched once in a text without any, as most are: a search reads to the end of the chunk.
    let cr = text.indexOf('\r', this.#from)
    for (;;) {
      const from = Math.max(start, this.#from)
      if (cr !== -1 && cr < from) cr = text.indexOf('\r', from)
      const lf = text.indexOf('\n', from)
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      if (end === -1) break
      const isCrLf = text.charCodeAt(end) === CR && text.charCodeAt(end + 1) === LF
      // Whether a carriage return at the end of a chunk is half of a CRLF is known with the next chunk.
      if (text.charCodeAt(end) === CR && end + 1 === text.length) break
      const frame = this.#takeLine(text.slice(start, end))
      if (frame !== undefined) frames.push(frame)
      start = end + (isCrLf ? 2 : 1)
      this.#from = 0
    }
    text = text.slice(start)
    if (text.length + this.#dataChars > FRAME_CHARS_MAX) throw new ProtocolError('A frame of the stream is over 1 MiB.')
    this.#from = Math.max(0, text.length - 1)
    this.#rest = text
    return frames
  }

  #takeLine(line: string): Frame | undefined {
    if (line === '') return this.#endFrame()
    const colon = line.indexOf(':')
    if (colon === 0) return { event: undefined, data: line.slice(1), id: undefined }
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    switch (name) {
      case 'event':
        this.#event = value
        break
      case 'data':
        this.#data.push(value)
        this.#dataChars += value.length
        break
      case 'id':
        if (!value.includes('\0')) this.#id = value
        break
      case 'retry':
        if (/^\d+$/.test(value)) this.retryMs = Number(value)
        break
    }
    return undefined
  }

  #endFrame(): Frame | undefined {
    const frame = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }
    const hasData = this.#data.length > 0
    this.#event = ''
    this.#data = []
    this.#dataChars = 0
    this.#id = undefined
    return hasData ? frame : undefined
  }
}

const CR = 13
const LF = 10
