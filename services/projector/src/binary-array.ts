/** Type OIDs of Postgres (pg_type.dat), by the names that `binaryArray` takes. */
const OIDS = { int4: 23, int8: 20, json: 114, text: 25, timestamptz: 1184, uuid: 2950 } as const

/** Milliseconds from the Unix epoch to Postgres's, 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000

/** A value of an array: bytes unchanged, text as UTF-8, numbers by the array's type; a `timestamptz` is epoch ms. */
export type ArrayValue = Buffer | string | number | null

/**
 * Encodes a one-dimensional array in Postgres's binary format (`array_recv`). As a parameter it needs a cast in the statement
 * (`$1::uuid[]`). Unlike the text format nothing is escaped, so JSON keeps its bytes.
 */
export function binaryArray(type: keyof typeof OIDS, values: readonly ArrayValue[]): Buffer {
  let total = 20
  let nulls = 0
  for (const value of values) {
    if (value === null) nulls = 1
    total += 4 + sizeOf(type, value)
  }
  const array = Buffer.allocUnsafe(total)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(nulls, 4)
  array.writeInt32BE(OIDS[type], 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  let at = 20
  for (const value of values) {
    if (value === null) at = array.writeInt32BE(-1, at)
    else {
      const size = write(array, at + 4, type, value)
      at = array.writeInt32BE(size, at) + size
    }
  }
  return array
}

function sizeOf(type: keyof typeof OIDS, value: ArrayValue): number {
  if (value === null) return 0
  if (typeof value === 'number') return type === 'int4' ? 4 : 8
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}

/** Answers how many bytes it wrote. */
function write(into: Buffer, at: number, type: keyof typeof OIDS, value: Buffer | string | number): number {
  if (typeof value === 'string') return into.write(value, at, 'utf8')
  if (typeof value !== 'number') return value.copy(into, at)
  if (type === 'int4') return into.writeInt32BE(value, at) - at
  if (type === 'int8') return writeInt64(into, at, value)
  return writeInt64(into, at, (value - POSTGRES_EPOCH_MS) * 1_000)
}

/** Writes a safe integer as int64, without a BigInt. */
function writeInt64(into: Buffer, at: number, value: number): number {
  const high = Math.floor(value / 2 ** 32)
  into.writeInt32BE(high, at)
  into.writeUInt32BE(value - high * 2 ** 32, at + 4)
  return 8
}
