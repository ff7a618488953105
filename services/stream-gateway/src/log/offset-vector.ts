/**
 * A position in the whole log: the next offset of each partition. A stream at a position has shown all its matching records
 * below it and none at or above it.
 */
export type OffsetVector = Float64Array

/** The position before the first record. */
export function originOf(partitions: number): OffsetVector {
  return new Float64Array(partitions)
}

/** Whether `a` is at or above `b` in every partition. */
export function dominates(a: OffsetVector, b: OffsetVector): boolean {
  for (let partition = 0; partition < a.length; partition += 1) {
    if ((a[partition] ?? 0) < (b[partition] ?? 0)) return false
  }
  return true
}

/** Moves `position` up to `other` wherever it is below. */
export function raise(position: OffsetVector, other: OffsetVector): void {
  for (let partition = 0; partition < position.length; partition += 1) {
    const to = other[partition] ?? 0
    if (to > (position[partition] ?? 0)) position[partition] = to
  }
}

/** What a stream id says. */
export interface PositionInLog {
  readonly epoch: number
  readonly position: OffsetVector
}

const LAYOUT = 1

/** Bytes of a position: layout (1), then the epoch, the count of partitions and each offset as LEB128. */
export function encodePosition({ epoch, position }: PositionInLog): Buffer {
  scratch[0] = LAYOUT
  let at = writeVarint(epoch, 1)
  at = writeVarint(position.length, at)
  for (let partition = 0; partition < position.length; partition += 1) at = writeVarint(position[partition] ?? 0, at)
  return scratch.subarray(0, at)
}

/** Shared by all calls: a result is to be used before the next call. Room for 1,000 partitions. */
const scratch = Buffer.alloc(8 * 1024 + 64)

function writeVarint(value: number, at: number): number {
  let rest = value
  let next = at
  while (rest > 127) {
    scratch[next] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
    next += 1
  }
  scratch[next] = rest
  return next + 1
}

/** Reads {@link encodePosition} back; undefined for bytes that are no position. */
export function decodePosition(bytes: Uint8Array): PositionInLog | undefined {
  let at = 1
  let sound = bytes[0] === LAYOUT

  function read(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = bytes[at]
      at += 1
      if (byte === undefined || factor > 2 ** 49) {
        sound = false
        return 0
      }
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
  }

  const epoch = read()
  const partitions = read()
  if (!sound || partitions > bytes.length) return undefined
  const position = originOf(partitions)
  for (let partition = 0; partition < partitions; partition += 1) position[partition] = read()
  if (!sound || at !== bytes.length || !position.every(Number.isSafeInteger)) return undefined
  return { epoch, position }
}
