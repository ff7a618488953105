/**
 * A Server-Sent Events frame inside an HTTP/1.1 chunk (RFC 9112, 7.1), ready for the socket: one Buffer that all clients
 * share. The offsets say where its parts are.
 */
export interface Frame {
  readonly chunk: Buffer
  readonly dataStart: number
  readonly dataEnd: number
  readonly idStart: number
  readonly idEnd: number
}

/** Gives memory for a frame. */
export type Allocate = (bytes: number) => Buffer

/** `event:`, `data:`, then `id:` last, so that no client moves its id before it has the data. All but `data` is ASCII. */
export function renderFrame(o: {
  readonly event: string
  readonly data: Uint8Array
  readonly id: string | Buffer
  readonly allocate?: Allocate
}): Frame {
  const head = `event: ${o.event}\ndata: `
  const bodyLength = head.length + o.data.length + ID.length + o.id.length + 2
  const size = `${bodyLength.toString(16)}\r\n`
  const total = size.length + bodyLength + 2
  const chunk = o.allocate === undefined ? Buffer.allocUnsafe(total) : o.allocate(total)
  const dataStart = chunk.write(size + head, 0, 'latin1')
  chunk.set(o.data, dataStart)
  const dataEnd = dataStart + o.data.length
  const idStart = dataEnd + chunk.write(ID, dataEnd, 'latin1')
  const idEnd = idStart + o.id.length
  if (typeof o.id === 'string') chunk.write(o.id, idStart, 'latin1')
  else chunk.set(o.id, idStart)
  chunk.write('\n\n\r\n', idEnd, 'latin1')
  return { chunk, dataStart, dataEnd, idStart, idEnd }
}

const ID = '\nid: '

/** A text in a chunk. */
export function chunkOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  return Buffer.from(`${bytes.toString(16)}\r\n${text}\r\n`)
}

/** A comment and one line feed: a second one would make some clients fire an empty message. */
export const HEARTBEAT = chunkOf(':\n')

/** What an HTTP/1.0 client gets of a block of whole chunks: the bytes inside. */
export function unchunk(block: Buffer): Buffer {
  const bodies: Buffer[] = []
  for (let at = 0; at < block.length;) {
    const lineEnd = block.indexOf('\r\n', at, 'latin1')
    const size = Number.parseInt(block.toString('latin1', at, lineEnd), 16)
    bodies.push(block.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + size + 4
  }
  return Buffer.concat(bodies)
}

/**
 * Hands out parts of large blocks, so that what is kept for long is not strewn among short-lived Buffers (Node's own pool
 * would keep these alive too). A block is freed when all its parts are.
 */
export function createSlabs(slabBytes = 256 * 1024): Allocate {
  let slab = Buffer.alloc(0)
  let used = 0
  return function allocate(bytes: number): Buffer {
    if (bytes > slabBytes / 8) return Buffer.allocUnsafeSlow(bytes)
    if (used + bytes > slab.length) {
      slab = Buffer.allocUnsafeSlow(slabBytes)
      used = 0
    }
    used += bytes
    return slab.subarray(used - bytes, used)
  }
}
