const POLYNOMIAL = 0x82f63b78
const TABLES = makeTables()

/** CRC-32C (Castagnoli, RFC 3720 B.4) of `data[from, to)`, as record batches carry it: an unsigned 32-bit number. */
export function crc32c(data: Buffer, from = 0, to = data.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES
  let crc = -1
  let at = from
  // Eight bytes a turn ("slicing by 8"): each table holds the effect of a byte that is followed by so many others.
  for (const end = from + ((to - from) & ~7); at < end; at += 8) {
    const low = crc ^ data.readInt32LE(at)
    crc =
      entry(t7, low & 0xff) ^
      entry(t6, (low >>> 8) & 0xff) ^
      entry(t5, (low >>> 16) & 0xff) ^
      entry(t4, low >>> 24) ^
      entry(t3, byte(data, at + 4)) ^
      entry(t2, byte(data, at + 5)) ^
      entry(t1, byte(data, at + 6)) ^
      entry(t0, byte(data, at + 7))
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ entry(t0, (crc ^ byte(data, at)) & 0xff)
  return (crc ^ -1) >>> 0
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]

function makeTables(): Tables {
  const tables: Tables = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ]
  for (let value = 0; value < 256; value += 1) {
    let crc = value
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[0][value] = crc
  }
  for (let value = 0; value < 256; value += 1) {
    let crc = entry(tables[0], value)
    for (const table of tables.slice(1)) {
      crc = (crc >>> 8) ^ entry(tables[0], crc & 0xff)
      table[value] = crc
    }
  }
  return tables
}

function entry(table: Int32Array, index: number): number {
  return table[index] ?? 0
}

function byte(data: Buffer, index: number): number {
  return data[index] ?? 0
}
