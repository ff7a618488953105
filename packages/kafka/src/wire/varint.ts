/** A place in bytes that reading moves on. */
export interface Cursor {
  readonly data: Buffer
  at: number
}

/** How many bytes a number of 32 bits takes as a zigzag varint. */
export function sizeOfVarint(value: number): number {
  const coded = ((value << 1) ^ (value >> 31)) >>> 0
  if (coded < 0x80) return 1
  if (coded < 0x4000) return 2
  if (coded < 0x200000) return 3
  return coded < 0x10000000 ? 4 : 5
}

/** Writes a number of 32 bits as a zigzag varint at `start`; answers the position after it. */
export function writeVarint(into: Buffer, start: number, value: number): number {
  return writeUnsignedVarint(into, start, ((value << 1) ^ (value >> 31)) >>> 0)
}

/** Writes a number of 32 bits as an unsigned varint at `start`; answers the position after it. */
export function writeUnsignedVarint(into: Buffer, start: number, value: number): number {
  let coded = value
  let at = start
  while (coded >= 0x80) {
    into[at] = (coded & 0x7f) | 0x80
    coded >>>= 7
    at += 1
  }
  into[at] = coded
  return at + 1
}

/** Reads a zigzag varint of up to 64 bits; exact within 2^53. */
export function readVarint(cursor: Cursor): number {
  const { data } = cursor
  let byte = data[cursor.at++] ?? 0
  let low = byte & 0x7f
  let shift = 7
  while (byte >= 0x80 && shift < 28) {
    byte = data[cursor.at++] ?? 0
    low |= (byte & 0x7f) << shift
    shift += 7
  }
  if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
  let coded = low
  let scale = 2 ** 28
  while (byte >= 0x80) {
    byte = data[cursor.at++] ?? 0
    coded += (byte & 0x7f) * scale
    scale *= 128
  }
  return coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2
}
