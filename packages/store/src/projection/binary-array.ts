/** Type OIDs of Postgres (pg_type.dat), by the names that `binaryArray` takes. */
const OIDS = { int4: 23, int8: 20, json: 114, text: 25, timestamptz: 1184, uuid: 2950 } as const

/** Milliseconds from the Unix epoch to that of Postgres, 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000

/** A value of an array: bytes as they are, text as UTF-8, numbers by the array's type; a `timestamptz` is epoch ms. */
export type ArrayValue = Buffer | string | number | null

/**
 * Encodes a one-dimensional array in Postgres's binary format (`array_recv`). As a parameter it needs a cast in the
 * statement (`$1::uuid[]`). Unlike the text format nothing is escaped, so JSON goes in as the bytes that it is.
 */
export function binaryArray(type: keyof typeof OIDS, values: readonly ArrayValue[]): Buffer {
  const sizes = values.map((value) => sizeOf(type, value))
  const total = sizes.reduce((sum, size) => sum + Math.max(0, size), 0)
  const array = Buffer.allocUnsafe(20 + 4 * values.length + total)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(sizes.includes(-1) ? 1 : 0, 4)
  array.writeInt32BE(OIDS[type], 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  let at = 20
  for (const [index, value] of values.entries()) {
    const size = sizes[index] ?? -1
    at = array.writeInt32BE(size, at)
    if (value !== null) at = write(array, at, type, value, size)
  }
  return array
}

function sizeOf(type: keyof typeof OIDS, value: ArrayValue): number {
  if (value === null) return -1
  if (typeof value === 'number') return type === 'int4' ? 4 : 8
  return Buffer.byteLength(value)
}

function write(
  into: Buffer,
  at: number,
  type: keyof typeof OIDS,
  value: Buffer | string | number,
  size: number,
): number {
  if (typeof value === 'string') into.write(value, at, 'utf8')
  else if (typeof value !== 'number') value.copy(into, at)
  else if (type === 'int4') into.writeInt32BE(value, at)
  else into.writeBigInt64BE(type === 'int8' ? BigInt(value) : BigInt(value - POSTGRES_EPOCH_MS) * 1_000n, at)
  return at + size
}
