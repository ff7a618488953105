const POLYNOMIAL = 0x82f63b78
const STEP = 16
/** Sixteen tables in one array: table k, at 256 × k, holds the effect of a byte that is followed by k others. */
const TABLES = makeTables()

/** CRC-32C (Castagnoli, RFC 3720 B.4) of `data[from, to)`, as record batches carry it: an unsigned 32-bit number. */
export function crc32c(data: Buffer, from = 0, to = data.length): number {
  // V8 reads a word of a DataView at any offset by one instruction, and a word of a Buffer byte by byte.
  const words = new DataView(data.buffer, data.byteOffset, data.length)
  let crc = -1
  let at = from
  // Sixteen bytes an iteration ("slicing by 16").
  for (const end = to - ((to - from) % STEP); at < end; at += STEP) {
    crc =
      effect(12, words.getInt32(at, true) ^ crc) ^
      effect(8, words.getInt32(at + 4, true)) ^
      effect(4, words.getInt32(at + 8, true)) ^
      effect(0, words.getInt32(at + 12, true))
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ entry(0, (crc ^ (data[at] as number)) & 0xff)
  return (crc ^ -1) >>> 0
}

function makeTables(): Int32Array {
  const tables = new Int32Array(STEP * 256)
  for (let value = 0; value < 256; value += 1) {
    let crc = value
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[value] = crc
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number)
  }
  return tables
}

/** The effect of the four bytes of a little-endian word that is followed by `following` others. */
function effect(following: number, word: number): number {
  return (
    entry(following + 3, word & 0xff) ^
    entry(following + 2, (word >>> 8) & 0xff) ^
    entry(following + 1, (word >>> 16) & 0xff) ^
    entry(following, word >>> 24)
  )
}

function entry(table: number, value: number): number {
  return TABLES[table * 256 + value] as number
}
