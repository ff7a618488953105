/**
 * Renders a Server-Sent Events frame inside an HTTP/1.1 chunk (RFC 9112, 7.1), ready for the socket: one Buffer that all
 * subscribers share. `event:`, `data:`, then `id:` last, so that no client moves its id before it has the data. All but `data`
 * is ASCII. With `isKept` the Buffer has memory of its own, so that it retains nothing else; otherwise a small one shares it
 * with its neighbours, which takes less time, and {@link joinBlocks} copies it.
 */
export function renderFrame(o: {
  readonly event: string
  readonly data: Uint8Array
  readonly id: string
  readonly isKept: boolean
}): Buffer {
  const head = `event: ${o.event}\ndata: `
  const bodyLength = head.length + o.data.length + ID.length + o.id.length + 2
  const size = `${bodyLength.toString(16)}\r\n`
  const bytes = size.length + bodyLength + 2
  const chunk = o.isKept ? Buffer.allocUnsafeSlow(bytes) : Buffer.allocUnsafe(bytes)
  const dataStart = chunk.write(size + head, 0, 'latin1')
  chunk.set(o.data, dataStart)
  chunk.write(`${ID}${o.id}\n\n\r\n`, dataStart + o.data.length, 'latin1')
  return chunk
}

const ID = '\nid: '

/** A text in a chunk, in memory of its own. */
export function chunkOf(text: string): Buffer {
  const framed = `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
  const chunk = Buffer.allocUnsafeSlow(Buffer.byteLength(framed))
  chunk.write(framed)
  return chunk
}

/** A comment and one line feed: a second one would make some clients fire an empty message. */
export const HEARTBEAT = chunkOf(':\n')

/** The bytes inside a block of whole chunks, for HTTP/1.0 clients, in memory of their own. */
export function unchunk(block: Buffer): Buffer {
  const bodies: Buffer[] = []
  let bytes = 0
  for (let at = 0; at < block.length;) {
    const lineEnd = block.indexOf('\r\n', at, 'latin1')
    const size = Number.parseInt(block.toString('latin1', at, lineEnd), 16)
    bodies.push(block.subarray(lineEnd + 2, lineEnd + 2 + size))
    bytes += size
    at = lineEnd + size + 4
  }
  return joinBlocks(bodies, bytes)
}

/**
 * Joins blocks into a buffer with memory of its own: while it is unsent it retains nothing else. A single block that has it is
 * returned unchanged.
 */
export function joinBlocks(blocks: readonly Buffer[], bytes: number): Buffer {
  const [only] = blocks
  if (only !== undefined && blocks.length === 1 && only.buffer.byteLength === bytes) return only
  const joined = Buffer.allocUnsafeSlow(bytes)
  let at = 0
  for (const block of blocks) {
    joined.set(block, at)
    at += block.length
  }
  return joined
}
